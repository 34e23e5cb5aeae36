import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { changeList, documentBody, showChanges } from '../../resources/configuration.ts'

export const configDiff = defineOperation({
  tag: 'configuration',
  summary: 'Compare a document with the store',
  description: 'Changes nothing.',
  body: documentBody,
  success: { status: 200, description: 'What `config-apply` would do.', schema: changeList },
  faults: ['organizationBound', 'configInvalid'],
  async run(ctx, { body }) {
    requireUnbound(ctx)
    return showChanges(await ctx.deps.configuration.diff(body.document))
  },
})
