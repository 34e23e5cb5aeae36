/** Deployments: one endpoint, credential and region of a provider. A credential goes in and never comes out. */
import { type Static, Type } from 'typebox'
import { dialectIds } from '../../domain/dialect-id.ts'
import type { CredentialSource, Deployment } from '../../domain/entities.ts'
import type { Resource } from '../resource.ts'
import { closed, named, nullable, oneOf, slug, storedFields, timeouts } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

const fieldName = '^[A-Za-z][A-Za-z0-9]{0,63}$'

function namedTexts(value: Parameters<typeof Type.String>[0], description: string) {
  return Type.Record(Type.String({ pattern: fieldName }), Type.String(value), {
    description,
    additionalProperties: false,
    maxProperties: 16,
  })
}

export const deploymentFields = {
  baseUrl: nullable(
    Type.String({ maxLength: 2048, pattern: '^https?://' }),
    'Overrides the base URL of the provider.',
  ),
  dialect: nullable(oneOf(dialectIds, 'Dialect.'), 'Overrides the dialect of the provider.'),
  region: nullable(Type.String({ minLength: 1, maxLength: 64 }), 'Region; fills `{region}`.'),
  settings: namedTexts({ maxLength: 512 }, 'Values for the placeholders of the provider row. No secrets.'),
  allowPrivateNetwork: Type.Boolean({
    description:
      'Let the host resolve to private or loopback addresses. Takes an unbound token of scope `admin`.',
  }),
  enabled: Type.Boolean({ description: 'False takes it out of service.' }),
  timeouts: timeouts('Timeouts of this deployment; what is left out follows the configuration.'),
}

/** A credential as given: secrets to be sealed, references to be read by the server, or none. */
export const givenCredential = Type.Union(
  [
    closed({
      secrets: namedTexts({ minLength: 1, maxLength: 16_384 }, 'Secret fields, `apiKey` for most providers.'),
    }),
    closed({
      references: namedTexts(
        { maxLength: 1024, pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$' },
        'Secret field → `env:NAME` or `file:/path` on the server. Takes an unbound token of scope `admin`.',
      ),
    }),
    Type.Null(),
  ],
  { description: 'Write-only: sealed before it is stored, never returned. Null: none.' },
)
export type GivenCredential = Static<typeof givenCredential>

export const shownCredential = closed(
  {
    kind: oneOf(['none', 'sealed', 'references'], 'How the secret is held.'),
    references: nullable(
      Type.Record(Type.String(), Type.String()),
      'Where it is read from, for `references`.',
    ),
  },
  'How the secret is held, never the secret.',
)

const view = named(
  'Deployment',
  {
    ...storedFields,
    organizationId: Type.String(),
    slug,
    provider: Type.String({ description: 'Id of the provider row.' }),
    ...deploymentFields,
    credential: shownCredential,
  },
  'One endpoint, credential and region of a provider.',
)

export function showCredential(source: CredentialSource): Static<typeof shownCredential> {
  return { kind: source.kind, references: source.kind === 'references' ? { ...source.fields } : null }
}

export const deployments: Resource<Deployment, typeof view> = {
  noun: 'deployment',
  plural: 'deployments',
  idPrefix: 'dep',
  uniqueName: 'slug',
  view,
  table: (tables) => tables.deployments,
  show: (record) =>
    showFields(view)({
      ...record,
      provider: record.providerId,
      credential: showCredential(record.credential),
    }),
}
