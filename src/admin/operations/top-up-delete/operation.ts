import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { topUps } from '../../resources/top-ups.ts'

export const topUpDelete = defineOperation({
  tag: topUps.plural,
  summary: 'Take back one top-up',
  description: 'What was used on top of the limit stays used.',
  params: memberParams(topUps),
  success: { status: 204, description: 'The top-up is gone.' },
  faults: ['objectNotFound'],
  async run(ctx, { params }) {
    const record = await openMember(ctx, topUps, params)
    await ctx.deps.store.topUps.remove(record.organizationId, record.id)
    return undefined
  },
})
