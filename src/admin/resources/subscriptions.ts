/** Subscriptions: an application's right to use a product. */
import { Type } from 'typebox'
import { type Subscription, subscriptionStates } from '../../domain/entities.ts'
import { openRecord, tableOf } from '../access.ts'
import type { AdminContext } from '../context.ts'
import type { Resource } from '../resource.ts'
import { named, nullable, oneOf, reference, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const subscriptionState = oneOf(subscriptionStates, 'Only an active subscription opens anything.')

export const subscriptionPlan = nullable(
  reference('plan'),
  'Plan whose limits hold for the use of the product; null: no plan.',
)

const view = named(
  'Subscription',
  {
    ...storedFields,
    organizationId: Type.String(),
    applicationId: Type.String(),
    productId: Type.String(),
    state: subscriptionState,
    planId: nullable(Type.String(), 'Plan whose limits hold; null: no plan.'),
  },
  "An application's right to use a product.",
)

export const subscriptions: Resource<Subscription, typeof view> = {
  noun: 'subscription',
  plural: 'subscriptions',
  idPrefix: 'sub',
  uniqueName: '`<applicationId>/<productId>`',
  view,
  table: (tables) => tables.subscriptions,
  show: showFields(view),
}

/** The id of a plan as given. @throws 404 */
export async function resolvePlan(
  ctx: AdminContext,
  organizationId: string,
  given: string | null,
): Promise<string | null> {
  if (given === null) return null
  const wanted = { noun: 'plan', organizationId, reference: given }
  return (await openRecord(tableOf(ctx, 'plans'), wanted)).id
}
