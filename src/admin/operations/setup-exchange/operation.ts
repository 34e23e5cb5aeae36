import { Type } from 'typebox'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { issueAdminToken } from '../../issue-admin-token.ts'
import { defineOperation } from '../../operation.ts'
import { showToken, tokenWithSecret } from '../../resources/admin-tokens.ts'
import { closed } from '../../schemas.ts'
import { hashSetupToken, setupTokenPattern } from '../../setup-link.ts'

export const setupExchange = defineOperation({
  tag: 'set-up',
  summary: 'Exchange a set-up link for an admin token',
  description: 'Works once per link, within 15 minutes. Needs no token: the link is the proof.',
  body: closed({
    token: Type.String({ description: 'The part of the link after `#`.', pattern: setupTokenPattern }),
  }),
  success: { status: 201, description: 'An admin token and, this once, its text.', schema: tokenWithSecret },
  faults: ['setupClosed', 'tooManySignIns'],
  async run(ctx, { body }) {
    const { store, clock, signIns } = ctx.deps
    signIns.admit(ctx.address, body.token)
    const opened = await store.setupLinks.consume(hashSetupToken(body.token), clock.now())
    if (!opened) {
      await signIns.failed(ctx.address)
      throw new Fault(faults.setupClosed)
    }
    const issued = await issueAdminToken(ctx.deps, {
      name: 'first administrator',
      scopes: ['admin'],
      organizationId: null,
      expiresAt: null,
      managedBy: 'setup',
    })
    return { adminToken: showToken(issued.adminToken), secret: issued.secret }
  },
})
