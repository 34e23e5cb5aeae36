import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed } from '../../schemas.ts'

export const configExport = defineOperation({
  tag: 'configuration',
  summary: 'Write the store as a document',
  description: 'Secrets are left out: a sealed credential appears as a reference that is to be filled in.',
  success: {
    status: 200,
    description: 'YAML that `config-apply` takes.',
    schema: closed({ document: Type.String() }),
  },
  faults: ['organizationBound'],
  async run(ctx) {
    requireUnbound(ctx)
    return { document: await ctx.deps.configuration.export() }
  },
})
