import { Type } from 'typebox'
import { requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { rewrapCredentials } from '../../rewrap-credentials.ts'
import { closed } from '../../schemas.ts'

const count = (description: string) => Type.Integer({ description, minimum: 0 })
const rewrapped = count('Wrapped anew under the current root key.')
const kept = count('Stood under it already.')

export const secretRewrap = defineOperation({
  tag: 'secrets',
  summary: 'Bring sealed secrets under the current root key',
  description:
    'For the rotation of the root key, once the gateway runs with the new one and names the one before in `secrets.otherRootKeyFiles`. May be repeated. Logged content and kept replies stay under the key that sealed them until they end.',
  success: {
    status: 200,
    description: 'How many there were.',
    schema: closed({
      credentials: closed({
        rewrapped,
        kept,
        unreadable: count('Sealed under a root key that is not here; left as they are.'),
      }),
      peppers: closed({ rewrapped, kept }),
      auditKeys: closed({ rewrapped, kept }),
    }),
  },
  faults: ['organizationBound'],
  async run(ctx) {
    requireUnbound(ctx)
    const { store, secretBox, pepperBook, audit, log } = ctx.deps
    const { rewrapped: renewed, kept: left, unreadable } = await rewrapCredentials(store, secretBox)
    const peppers = await pepperBook.rewrap()
    const auditKeys = await audit.rewrap()
    log.info(
      { requestId: ctx.requestId, code: 'secrets.rewrapped' },
      `admin token ${ctx.caller.tokenId} rewrapped ${renewed} credentials and ${peppers.rewrapped} peppers; ${unreadable} credentials are unreadable`,
    )
    return {
      credentials: { rewrapped: renewed, kept: left, unreadable },
      peppers: { rewrapped: peppers.rewrapped, kept: peppers.kept },
      auditKeys: { rewrapped: auditKeys.rewrapped, kept: auditKeys.kept },
    }
  },
})
