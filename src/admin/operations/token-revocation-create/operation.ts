import { Type } from 'typebox'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { newId } from '../../../kernel/ids.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { tokenIssuers } from '../../resources/token-issuers.ts'
import { revocationFields, revocationView, showRevocation } from '../../resources/token-revocations.ts'
import { closed } from '../../schemas.ts'

/** What a token may live beyond `maxLifetimeSeconds`: clocks of the issuer and of ours. */
const marginMs = 300_000

export const tokenRevocationCreate = defineOperation({
  tag: 'token revocations',
  summary: 'Revoke tokens of a token issuer',
  description:
    'Holds on every node within a second and ends exchanges under way. `subject` and `issuer` mean tokens issued until now: a new sign-in works. A revocation is never taken back.',
  params: memberParams(tokenIssuers),
  body: closed({ kind: revocationFields.kind, value: Type.Optional(revocationFields.value) }),
  success: { status: 201, description: 'The new revocation.', schema: revocationView },
  faults: ['objectNotFound'],
  async run(ctx, { params, body: { kind, value = '' } }) {
    if ((kind === 'issuer') !== (value === '')) {
      const reason = kind === 'issuer' ? 'has no use for a whole issuer' : 'names the token or the subject'
      throw new Fault(faults.invalidField, { public: { field: 'value', reason }, param: 'value' })
    }
    const { id: issuerId, organizationId, terms } = await openMember(ctx, tokenIssuers, params)
    const now = ctx.deps.clock.now()
    const lifetimeMs = (terms.maxLifetimeSeconds + 2 * terms.clockSkewSeconds) * 1000
    const record = {
      id: newId('trv'),
      createdAt: now,
      organizationId,
      issuerId,
      kind,
      value,
      issuedUntil: now,
      expiresAt: now + lifetimeMs + marginMs,
    }
    return showRevocation(await ctx.deps.store.tokenRevocations.create(record))
  },
})
