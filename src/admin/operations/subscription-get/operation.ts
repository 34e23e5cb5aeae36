import { getOperation } from '../../resource.ts'
import { subscriptions } from '../../resources/subscriptions.ts'

export const subscriptionGet = getOperation(subscriptions)
