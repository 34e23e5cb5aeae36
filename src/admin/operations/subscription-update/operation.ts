import { updateOperation } from '../../resource.ts'
import {
  resolvePlan,
  subscriptionPlan,
  subscriptionState,
  subscriptions,
} from '../../resources/subscriptions.ts'

export const subscriptionUpdate = updateOperation(subscriptions, {
  summary: 'Pause, resume or end one subscription, or change its plan',
  body: { state: subscriptionState, plan: subscriptionPlan },
  async change(ctx, record, { fields: { plan, ...fields }, terms }) {
    const { organizationId, id } = record
    const patch =
      plan === undefined ? fields : { ...fields, planId: await resolvePlan(ctx, organizationId, plan) }
    return ctx.deps.store.subscriptions.update(organizationId, id, { patch, ...terms })
  },
})
