/** Provider rows as the API shows them: what a person needs to make a deployment. */
import { type Static, Type } from 'typebox'
import { dialectIds } from '../../domain/dialect-id.ts'
import type { AuthScheme, Provider } from '../../domain/provider.ts'
import { named, nullable, oneOf } from '../schemas.ts'

export const providerView = named(
  'Provider',
  {
    id: Type.String(),
    name: Type.String(),
    baseUrl: nullable(Type.String(), 'With placeholders from settings; null: each deployment gives its own.'),
    dialect: oneOf(dialectIds, 'Wire format.'),
    auth: oneOf(['bearer', 'header', 'sigv4', 'google-oauth', 'none'], 'How calls are authenticated.'),
    credentialFields: Type.Array(Type.String(), { description: 'Secret fields that a credential may have.' }),
    requiredSettings: Type.Array(Type.String(), { description: 'Settings that a deployment must give.' }),
    operations: Type.Array(Type.String(), { description: 'Operation ids that the vendor serves.' }),
    privateNetwork: Type.Boolean({ description: 'Normally sits on a private address (self-hosted).' }),
    modelPatterns: Type.Array(Type.String(), { description: 'Model names that the vendor is known for.' }),
    documentation: Type.String({ description: "Address of the vendor's documentation." }),
  },
  'A vendor: addresses, dialect and way of proving who calls.',
)

/** Secret fields by auth scheme; see `AuthScheme`. */
const credentialFields: Readonly<Record<AuthScheme['kind'], readonly string[]>> = {
  bearer: ['apiKey'],
  header: ['apiKey'],
  sigv4: ['accessKeyId', 'secretAccessKey', 'sessionToken', 'apiKey'],
  'google-oauth': ['serviceAccount'],
  none: [],
}

export function credentialFieldsOf(provider: Provider): readonly string[] {
  return credentialFields[provider.auth.kind]
}

export function showProvider(provider: Provider): Static<typeof providerView> {
  return {
    id: provider.id,
    name: provider.name,
    baseUrl: provider.baseUrl,
    dialect: provider.dialect,
    auth: provider.auth.kind,
    credentialFields: [...credentialFieldsOf(provider)],
    requiredSettings: [...provider.requiredSettings],
    operations: Object.keys(provider.paths).filter((id) => !id.includes('#')),
    privateNetwork: provider.privateNetwork,
    modelPatterns: [...provider.modelPatterns],
    documentation: provider.documentation,
  }
}
