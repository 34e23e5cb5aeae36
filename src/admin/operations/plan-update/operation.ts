import { givenQueueSchema } from '../../../config/index.ts'
import { checkPlanLimits, givenPlanLimits } from '../../limit-terms.ts'
import { updateOperation } from '../../resource.ts'
import { planFields, plans } from '../../resources/plans.ts'

export const planUpdate = updateOperation(plans, {
  description:
    'Fields left out stay as they are; `limits` is replaced as a whole. A limit that keeps its name keeps its counters.',
  body: { ...planFields, limits: givenPlanLimits, queue: givenQueueSchema },
  change(ctx, record, { fields: { limits, queue, ...fields }, terms }) {
    const patch = {
      ...fields,
      ...(limits === undefined ? {} : { limits: checkPlanLimits(limits) }),
      ...(queue === undefined ? {} : { queue: { ...record.queue, ...queue } }),
    }
    return ctx.deps.store.plans.update(record.organizationId, record.id, { patch, ...terms })
  },
})
