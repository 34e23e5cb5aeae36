/**
 * What the environment says about a provider: which of its variables are set, as the fields of a deployment. Pure:
 * the environment is given. Values are cut by nothing and logged by nobody; secrets stay in `secrets`.
 */
import type { AuthScheme, Provider } from '../../domain/provider.ts'

export interface EnvironmentDeployment {
  readonly baseUrl: string | null
  readonly region: string | null
  readonly settings: Readonly<Record<string, string>>
  /** Secret field → name of the variable that holds it (for an `env:` reference). */
  readonly secretVariables: Readonly<Record<string, string>>
  /** Secret field → value. */
  readonly secrets: Readonly<Record<string, string>>
  /** Secret field → path of the file that holds it (row fields ending in `File`). */
  readonly secretFiles: Readonly<Record<string, string>>
  readonly allowPrivateNetwork: boolean
}

/** Sets of secret fields of which one must be complete, by auth scheme. */
const credentialFields: Readonly<Record<AuthScheme['kind'], readonly (readonly string[])[]>> = {
  bearer: [['apiKey']],
  header: [['apiKey']],
  sigv4: [['apiKey'], ['accessKeyId', 'secretAccessKey']],
  'google-oauth': [['serviceAccount']],
  none: [[]],
}
const secretFields: ReadonlySet<string> = new Set([
  'apiKey',
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'serviceAccount',
])
const fileSuffix = 'File'

type Values = Map<string, { readonly variable: string; readonly value: string }>

function collect(provider: Provider, environment: Readonly<Record<string, string | undefined>>): Values {
  const found: Values = new Map()
  for (const [field, variables] of Object.entries(provider.environment)) {
    const variable = variables.find((name) => (environment[name] ?? '').trim() !== '')
    if (variable !== undefined) found.set(field, { variable, value: (environment[variable] ?? '').trim() })
  }
  return found
}

/** A provider whose key is optional is taken when its address is named; others when a credential is complete. */
function isComplete(provider: Provider, fields: ReadonlySet<string>): boolean {
  const auth = provider.auth
  const credential = credentialFields[auth.kind].some(
    (set) => set.length > 0 && set.every((name) => fields.has(name)),
  )
  const optional = 'optional' in auth && auth.optional === true && fields.has('baseUrl')
  if (!credential && !optional) return false
  const hasBase = fields.has('baseUrl') || provider.baseUrl !== null
  const inBase = fields.has('baseUrl') ? [] : (provider.baseUrl ?? '').matchAll(/\{([A-Za-z]+)\}/g)
  const baseSettings = Array.from(inBase, (match) => match[1] ?? '')
  const pathSettings = provider.requiredSettings.filter((name) =>
    Object.values(provider.paths).some((path) => path.includes(`{${name}}`)),
  )
  const known = (name: string) => fields.has(name) || Object.hasOwn(provider.defaults, name)
  return hasBase && [...baseSettings, ...pathSettings].every(known)
}

/** The deployment that the environment describes for `provider`, or null where it names none or only part of one. */
export function readEnvironment(
  provider: Provider,
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentDeployment | null {
  const values = collect(provider, environment)
  const secretVariables: Record<string, string> = {}
  const secrets: Record<string, string> = {}
  const secretFiles: Record<string, string> = {}
  const settings: Record<string, string> = {}
  const fields = new Set(values.keys())
  for (const [field, { variable, value }] of values) {
    const stem = field.endsWith(fileSuffix) ? field.slice(0, -fileSuffix.length) : field
    if (secretFields.has(field)) {
      secretVariables[field] = variable
      secrets[field] = value
    } else if (secretFields.has(stem)) {
      secretFiles[stem] = value
      fields.add(stem)
    } else if (field !== 'baseUrl' && field !== 'region') settings[field] = value
  }
  if (!isComplete(provider, fields)) return null
  return {
    baseUrl: values.get('baseUrl')?.value ?? null,
    region: values.get('region')?.value ?? null,
    settings,
    secretVariables,
    secrets,
    secretFiles,
    allowPrivateNetwork: provider.privateNetwork,
  }
}
