import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed, time } from '../../schemas.ts'
import { issueSetupLink } from '../../setup-link.ts'

export const setupLinkCreate = defineOperation({
  tag: 'set-up',
  summary: 'Create a set-up link',
  description: 'For another administrator. Single use, 15 minutes; an earlier link stops working.',
  success: {
    status: 201,
    description: 'The link, this once.',
    schema: closed({
      path: Type.String({ description: 'To be put behind the address of the control plane.' }),
      expiresAt: time,
    }),
  },
  faults: ['organizationBound'],
  async run(ctx) {
    requireUnbound(ctx)
    const { path, expiresAt } = await issueSetupLink(ctx.deps)
    return { path, expiresAt }
  },
})
