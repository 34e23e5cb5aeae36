import { removeOperation } from '../../resource.ts'
import { subscriptions } from '../../resources/subscriptions.ts'

export const subscriptionDelete = removeOperation(subscriptions)
