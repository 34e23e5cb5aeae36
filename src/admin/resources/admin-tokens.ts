/** Admin tokens: access to this API. The token text is shown once, when it is made. */
import { Type } from 'typebox'
import { adminScopes } from '../../domain/entities.ts'
import { displayName, futureTime, named, nullable, oneOf, storedFields, time } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const tokenFields = {
  name: displayName,
  scopes: Type.Array(oneOf(adminScopes, '`admin` includes all others.'), {
    description: 'What the token may do.',
    minItems: 1,
    maxItems: adminScopes.length,
    uniqueItems: true,
  }),
  expiresAt: futureTime,
}

export const tokenView = named(
  'AdminToken',
  {
    ...storedFields,
    organizationId: nullable(Type.String(), 'The only organization that the token sees; null: all.'),
    tokenId: Type.String({ description: 'Public part of the token.' }),
    ...tokenFields,
    lastUsedAt: nullable(time, 'Last use, to the minute, or null.'),
    revokedAt: nullable(time, 'When it was revoked, or null.'),
  },
  'An admin token, without its secret.',
)

export const showToken = showFields(tokenView)

export const tokenWithSecret = named(
  'AdminTokenWithSecret',
  {
    adminToken: tokenView,
    secret: Type.String({ description: 'The token itself. It is shown this once and cannot be read again.' }),
  },
  'An admin token and, this once, its text.',
)
