import { Type } from 'typebox'
import { listOperation } from '../../resource.ts'
import { subscriptionState, subscriptions } from '../../resources/subscriptions.ts'
import { recordId } from '../../schemas.ts'

export const subscriptionList = listOperation(subscriptions, {
  applicationId: Type.Optional(recordId('app')),
  productId: Type.Optional(recordId('prd')),
  state: Type.Optional(subscriptionState),
})
