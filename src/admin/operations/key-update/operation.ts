import { requireActive, requireCidrs } from '../../key-rules.ts'
import { updateOperation } from '../../resource.ts'
import { keyFields, keys } from '../../resources/keys.ts'

export const keyUpdate = updateOperation(keys, {
  body: keyFields,
  faults: ['keyEnded'],
  async change(ctx, record, { fields, terms }) {
    requireActive(record)
    requireCidrs(fields.cidrs ?? [])
    return ctx.deps.store.keys.update(record.organizationId, record.id, { patch: fields, ...terms })
  },
})
