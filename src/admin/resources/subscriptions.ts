/** Subscriptions: an application's right to use a product. */
import { Type } from 'typebox'
import { type Subscription, subscriptionStates } from '../../domain/entities.ts'
import type { Resource } from '../resource.ts'
import { named, oneOf, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const subscriptionState = oneOf(subscriptionStates, 'Only an active subscription opens anything.')

const view = named(
  'Subscription',
  {
    ...storedFields,
    organizationId: Type.String(),
    applicationId: Type.String(),
    productId: Type.String(),
    state: subscriptionState,
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
