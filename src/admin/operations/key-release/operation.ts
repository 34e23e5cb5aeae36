import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { requireWritable } from '../../access.ts'
import { requireActive } from '../../key-rules.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { keys } from '../../resources/keys.ts'

export const keyRelease = defineOperation({
  tag: keys.plural,
  summary: 'Release one key from quarantine',
  description:
    'It opens again what it did. Rotate a key that leaked before: its old secret ends with that. The same report again does not hold it again.',
  params: memberParams(keys),
  success: { status: 200, description: 'The released key.', schema: keys.view },
  faults: ['objectNotFound', 'readOnly', 'keyEnded', 'keyNotQuarantined', 'staleUpdate'],
  async run(ctx, { params }) {
    const record = await openMember(ctx, keys, params)
    requireWritable(keys.noun, record)
    requireActive(record)
    if (record.state !== 'quarantined')
      throw new Fault(faults.keyNotQuarantined, { public: { id: record.keyId } })
    // As it was looked at: a report that comes meanwhile is not released unseen.
    const terms = { now: ctx.deps.clock.now(), expectedUpdatedAt: record.updatedAt }
    const change = { patch: { state: 'active' as const, quarantine: null }, ...terms }
    return keys.show(await ctx.deps.store.keys.update(record.organizationId, record.id, change), ctx.deps)
  },
})
