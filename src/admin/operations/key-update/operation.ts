import { rotatedAtOf } from '../../../identity/index.ts'
import { requireActive, requireCidrs, requirePolicy } from '../../key-rules.ts'
import { updateOperation } from '../../resource.ts'
import { keyFields, keys } from '../../resources/keys.ts'

export const keyUpdate = updateOperation(keys, {
  body: keyFields,
  faults: ['keyEnded', 'keyPolicyBroken'],
  async change(ctx, record, { fields, terms }) {
    requireActive(record)
    requireCidrs(fields.cidrs ?? [])
    const secrets = await ctx.deps.store.keys.secrets(record.organizationId, record.id)
    await requirePolicy(ctx, { ...record, ...fields, rotatedAt: rotatedAtOf(secrets) })
    return ctx.deps.store.keys.update(record.organizationId, record.id, { patch: fields, ...terms })
  },
})
