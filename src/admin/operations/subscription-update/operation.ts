import { updateOperation } from '../../resource.ts'
import { subscriptionState, subscriptions } from '../../resources/subscriptions.ts'

export const subscriptionUpdate = updateOperation(subscriptions, {
  summary: 'Pause, resume or end one subscription',
  body: { state: subscriptionState },
  change: (ctx, record, { fields, terms }) =>
    ctx.deps.store.subscriptions.update(record.organizationId, record.id, { patch: fields, ...terms }),
})
