import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { changeList, documentBody, showChanges } from '../../resources/configuration.ts'

export const configApply = defineOperation({
  tag: 'configuration',
  summary: 'Bring the store to a document',
  description:
    'All or nothing. Objects of the document become managed by it: read-only elsewhere, and removed when a later document leaves them out.',
  body: documentBody,
  success: { status: 200, description: 'What was done.', schema: changeList },
  faults: ['organizationBound', 'configInvalid', 'readOnly', 'inUse'],
  async run(ctx, { body }) {
    requireUnbound(ctx)
    return showChanges(await ctx.deps.configuration.apply(body.document))
  },
})
