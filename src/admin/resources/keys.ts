/** API keys. The secret is shown once, by `key-create` and `key-rotate`; nothing else ever returns it. */
import { Type } from 'typebox'
import { type ApiKey, keyStates } from '../../domain/entities.ts'
import { maxKeyLeaks, quarantineReasons } from '../../domain/key-policy.ts'
import type { Resource } from '../resource.ts'
import {
  closed,
  displayName,
  futureTime,
  modelPatterns,
  named,
  nullable,
  oneOf,
  operationIds,
  storedFields,
  time,
} from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const keyFields = {
  name: displayName,
  models: nullable(modelPatterns, 'Narrows what the subscriptions allow; null: no narrowing.'),
  operations: nullable(operationIds, 'Narrows what the subscriptions allow; null: no narrowing.'),
  cidrs: Type.Array(Type.String({ minLength: 3, maxLength: 49 }), {
    description: 'Networks (CIDR, v4 or v6) from which the key may be used; empty: anywhere.',
    maxItems: 64,
  }),
  expiresAt: futureTime,
}
export const keyEnvironment = oneOf(
  ['live', 'test'],
  'Part of the key text; test keys are kept apart in usage.',
)

const view = named(
  'Key',
  {
    ...storedFields,
    organizationId: Type.String(),
    applicationId: Type.String(),
    keyId: Type.String({ description: 'Public part of the key: names it in logs and usage.' }),
    environment: keyEnvironment,
    state: oneOf(
      keyStates,
      'A quarantined key is refused until an administrator releases it; a revoked one never comes back.',
    ),
    ...keyFields,
    lastUsedAt: nullable(time, 'Last use, or null.'),
    revokedAt: nullable(time, 'When it was revoked, or null.'),
    quarantine: nullable(
      closed({ at: time, reason: oneOf(quarantineReasons, 'Why it is held.') }),
      'Since when and why it is held; null: it is not.',
    ),
    leaks: Type.Array(
      closed({
        digest: Type.String({ description: 'SHA-256 of the report.' }),
        at: time,
        reporter: Type.String({ description: '`github`, or a reporter of the configuration.' }),
        url: Type.String({ description: 'Where the key was seen, as the reporter says; may be empty.' }),
        source: Type.String({ description: 'What kind of place that is, as the reporter says.' }),
      }),
      { description: 'Reports that the key leaked, oldest first.', maxItems: maxKeyLeaks },
    ),
  },
  'An API key, without its secret.',
)

export const keys: Resource<ApiKey, typeof view> = {
  noun: 'key',
  plural: 'keys',
  idPrefix: 'key',
  uniqueName: 'key id',
  view,
  table: (tables) => tables.keys,
  show: showFields(view),
}

/** A key together with its secret: shown once. */
export const keyWithSecret = named(
  'KeyWithSecret',
  {
    key: view,
    secret: Type.String({ description: 'The key itself. It is shown this once and cannot be read again.' }),
  },
  'A key and, this once, its secret.',
)
