import { Type } from 'typebox'
import { openRecord, tableOf } from '../../access.ts'
import { createOperation } from '../../resource.ts'
import {
  resolvePlan,
  subscriptionPlan,
  subscriptionState,
  subscriptions,
} from '../../resources/subscriptions.ts'
import { closed, reference } from '../../schemas.ts'

export const subscriptionCreate = createOperation(subscriptions, {
  summary: 'Subscribe an application to a product',
  body: closed({
    application: reference('application'),
    product: reference('product'),
    state: Type.Optional(subscriptionState),
    plan: Type.Optional(subscriptionPlan),
  }),
  async build(ctx, organization, body) {
    const within = { organizationId: organization.id }
    const application = await openRecord(tableOf(ctx, 'applications'), {
      ...within,
      noun: 'application',
      reference: body.application,
    })
    const product = await openRecord(tableOf(ctx, 'products'), {
      ...within,
      noun: 'product',
      reference: body.product,
    })
    return {
      applicationId: application.id,
      productId: product.id,
      state: body.state ?? 'active',
      planId: await resolvePlan(ctx, organization.id, body.plan ?? null),
    }
  },
  store: (ctx, record) => ctx.deps.store.subscriptions.create(record),
})
