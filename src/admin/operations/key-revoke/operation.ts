import { requireWritable } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { keys } from '../../resources/keys.ts'

export const keyRevoke = defineOperation({
  tag: keys.plural,
  summary: 'Revoke one key',
  description: 'At once and for good, streams under way included. Revoking a revoked key changes nothing.',
  params: memberParams(keys),
  success: { status: 200, description: 'The revoked key.', schema: keys.view },
  faults: ['objectNotFound', 'readOnly'],
  async run(ctx, { params }) {
    const record = await openMember(ctx, keys, params)
    requireWritable(keys.noun, record)
    if (record.state === 'revoked') return keys.show(record, ctx.deps)
    const now = ctx.deps.clock.now()
    const change = { patch: { state: 'revoked' as const, revokedAt: now, quarantine: null }, now }
    return keys.show(await ctx.deps.store.keys.update(record.organizationId, record.id, change), ctx.deps)
  },
})
