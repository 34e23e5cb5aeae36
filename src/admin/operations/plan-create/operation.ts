import { Type } from 'typebox'
import { givenQueueSchema, planDefaults } from '../../../config/index.ts'
import { checkPlanLimits, givenPlanLimits } from '../../limit-terms.ts'
import { createOperation } from '../../resource.ts'
import { planFields, plans } from '../../resources/plans.ts'
import { closed, slug } from '../../schemas.ts'

export const planCreate = createOperation(plans, {
  description: 'Nothing changes until a subscription has the plan.',
  body: closed({
    slug,
    name: Type.Optional(planFields.name),
    description: Type.Optional(planFields.description),
    limits: Type.Optional(givenPlanLimits),
    priority: Type.Optional(planFields.priority),
    weight: Type.Optional(planFields.weight),
    queue: Type.Optional(givenQueueSchema),
  }),
  build: (_ctx, _organization, body) => ({
    slug: body.slug,
    name: body.name ?? body.slug,
    description: body.description ?? '',
    limits: checkPlanLimits(body.limits ?? []),
    priority: body.priority ?? planDefaults.priority,
    weight: body.weight ?? planDefaults.weight,
    queue: { ...planDefaults.queue, ...body.queue },
  }),
  store: (ctx, record) => ctx.deps.store.plans.create(record),
})
