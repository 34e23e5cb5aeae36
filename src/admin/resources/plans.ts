/** Plans: limits, and a place in the queue, that subscriptions to products come with. */
import { type Static, Type } from 'typebox'
import { maxLimits, planFields as planTerms, writeLimitTerms } from '../../config/index.ts'
import type { Plan } from '../../domain/entities.ts'
import { shownTerms } from '../limit-terms.ts'
import type { Resource } from '../resource.ts'
import { closed, displayName, longText, named, slug, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

const { maxWaitMs, maxLength, ...order } = planTerms

export const planFields = { name: displayName, description: longText, ...order }

const view = named(
  'Plan',
  {
    ...storedFields,
    organizationId: Type.String(),
    slug,
    ...planFields,
    queue: closed({ maxWaitMs, maxLength }, 'How exchanges wait where a limit of the plan says `queue`.'),
    limits: Type.Array(shownTerms, {
      description:
        'What a subscription may use; counted per application and product unless `per` says otherwise.',
      maxItems: maxLimits,
    }),
  },
  'Limits, and a place in the queue, that subscriptions to products come with.',
)
const show = showFields(view)

export const plans: Resource<Plan, typeof view> = {
  noun: 'plan',
  plural: 'plans',
  idPrefix: 'pln',
  uniqueName: 'slug',
  view,
  table: (tables) => tables.plans,
  show: (record): Static<typeof view> => show({ ...record, limits: record.limits.map(writeLimitTerms) }),
}
