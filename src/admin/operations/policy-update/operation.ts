import { requirePolicy, revisionAfter } from '../../../access/index.ts'
import { updateOperation } from '../../resource.ts'
import { policies, policyFields } from '../../resources/policies.ts'

export const policyUpdate = updateOperation(policies, {
  body: policyFields,
  faults: ['invalidField'],
  change(ctx, record, { fields, terms }) {
    const { cedar = record.cedar, enabled = record.enabled } = fields
    requirePolicy({ name: record.slug, text: cedar })
    const patch = { ...fields, revision: revisionAfter(record, { cedar, enabled }) }
    // The revision counts on from the one that was read.
    const expected = { expectedUpdatedAt: record.updatedAt, ...terms }
    return ctx.deps.store.policies.update(record.organizationId, record.id, { patch, ...expected })
  },
})
