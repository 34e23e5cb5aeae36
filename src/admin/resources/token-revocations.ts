/** Revocations of tokens. */
import { Type } from 'typebox'
import { revocationKinds } from '../../domain/token-issuer.ts'
import { named, oneOf, time } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const revocationFields = {
  kind: oneOf(revocationKinds, 'token: one, by its `jti`; subject: all of a `sub`; issuer: all of them.'),
  value: Type.String({ description: '`jti` or `sub`; empty for `issuer`.', maxLength: 512 }),
}

export const revocationView = named(
  'TokenRevocation',
  {
    id: Type.String({ description: 'Id.' }),
    createdAt: time,
    organizationId: Type.String(),
    issuerId: Type.String({ description: 'Id of the token issuer.' }),
    ...revocationFields,
    issuedUntil: Type.Integer({ description: 'Tokens issued later are not meant. Unix milliseconds.' }),
    expiresAt: Type.Integer({
      description: 'When the last token that is meant has ended. Unix milliseconds.',
    }),
  },
  'Tokens that are not taken any more.',
)

export const showRevocation = showFields(revocationView)
