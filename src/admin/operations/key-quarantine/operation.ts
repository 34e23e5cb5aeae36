import { requireWritable } from '../../access.ts'
import { requireActive } from '../../key-rules.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { keys } from '../../resources/keys.ts'

export const keyQuarantine = defineOperation({
  tag: keys.plural,
  summary: 'Put one key into quarantine',
  description:
    'It is refused at once, streams under way included, until an administrator releases it. A key that is held already stays as it is.',
  params: memberParams(keys),
  success: { status: 200, description: 'The held key.', schema: keys.view },
  faults: ['objectNotFound', 'readOnly', 'keyEnded'],
  async run(ctx, { params }) {
    const record = await openMember(ctx, keys, params)
    requireWritable(keys.noun, record)
    requireActive(record)
    if (record.state === 'quarantined') return keys.show(record, ctx.deps)
    const now = ctx.deps.clock.now()
    const quarantine = { at: now, reason: 'by-hand' as const }
    const change = { patch: { state: 'quarantined' as const, quarantine }, now }
    return keys.show(await ctx.deps.store.keys.update(record.organizationId, record.id, change), ctx.deps)
  },
})
