/**
 * Rules for deployments that no schema can state. A deployment that could not be compiled would hold up every later
 * configuration of the data plane, whoever it belongs to: so it is compiled here, with its secrets, before it is
 * stored.
 */
import { isDeepStrictEqual } from 'node:util'
import type { CredentialSource, Deployment } from '../domain/entities.ts'
import { isJsonObject } from '../domain/json.ts'
import type { Provider } from '../domain/provider.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { compileDeployment } from '../providers/index.ts'
import { notFound, requireInstallationAdmin } from './access.ts'
import type { AdminContext } from './context.ts'
import type { GivenCredential } from './resources/deployments.ts'

type Candidate = Pick<
  Deployment,
  'slug' | 'providerId' | 'baseUrl' | 'dialect' | 'region' | 'settings' | 'allowPrivateNetwork' | 'enabled'
>
type Secrets = Readonly<Record<string, string>>

/** Compiling only needs them to be there: no call is made. */
const timeouts = { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: 1 }
const ports = {
  now: () => 0,
  fetchToken: () => {
    throw new TypeError('compiling a deployment fetches no token')
  },
}

/**
 * @param secrets null where only the running server can read them: then all but the credential is checked
 * @throws Fault where the provider is unknown, or the data plane could not use the deployment; one that is out of
 * service may be unfinished
 */
export function requireDeployable(ctx: AdminContext, candidate: Candidate, secrets: Secrets | null): void {
  const provider = ctx.deps.providers().find((row) => row.id === candidate.providerId)
  if (provider === undefined) throw notFound('provider', candidate.providerId)
  if (candidate.baseUrl === null && provider.baseUrl === null) {
    throw new Fault(faults.missingField, { public: { field: 'baseUrl' }, param: 'baseUrl' })
  }
  if (!candidate.enabled) return
  const checked: Provider = secrets === null ? { ...provider, auth: { kind: 'none' } } : provider
  compileDeployment(
    checked,
    { ...candidate, id: '', organizationId: '', secrets: secrets ?? {}, timeouts },
    ports,
  )
}

/** Secrets of a request, as far as they are in it. */
export function givenSecrets(given: GivenCredential): Secrets | null {
  if (given === null) return {}
  return 'secrets' in given ? given.secrets : null
}

/** Secrets that are stored already, or null where they cannot be read here. */
export async function storedSecrets(
  ctx: AdminContext,
  organizationId: string,
  source: CredentialSource,
): Promise<Secrets | null> {
  if (source.kind === 'none') return {}
  if (source.kind === 'references') return null
  const { store, secretBox } = ctx.deps
  const record = await store.credentials.get(organizationId, source.credentialId)
  if (record === null) return null
  const opened: unknown = JSON.parse(
    (await secretBox.open(record.sealed, `credential:${record.id}`)).toString('utf8'),
  )
  return isJsonObject(opened) ? (opened as Secrets) : null
}

/** Settings and region count as address: they fill placeholders of the host. */
function sameAddress(before: Deployment, after: Candidate): boolean {
  return (
    before.baseUrl === after.baseUrl &&
    before.region === after.region &&
    isDeepStrictEqual(before.settings, after.settings)
  )
}

/**
 * Whoever may change an address must neither receive a secret that they cannot read, nor reach a network that only
 * an administrator of the installation may open.
 * @throws Fault `credentialNeeded`, or 403
 */
export function requireSafeMove(
  ctx: AdminContext,
  move: { readonly before: Deployment; readonly after: Candidate; readonly credentialGiven: boolean },
): void {
  const { before, after, credentialGiven } = move
  const moved = !sameAddress(before, after)
  if (after.allowPrivateNetwork && (moved || !before.allowPrivateNetwork)) requireInstallationAdmin(ctx)
  if (moved && !credentialGiven && before.credential.kind !== 'none') {
    throw new Fault(faults.credentialNeeded, { param: 'credential' })
  }
}
