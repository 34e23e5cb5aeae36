/** A trial call to a deployment, for `gatewright providers test` and `doctor`: lists models, sends no content. */
import type { Deployment } from '../domain/entities.ts'
import type { DeploymentSnapshot } from '../domain/snapshot.ts'
import { Fault } from '../kernel/fault.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'
import {
  type AuthPorts,
  type CompiledDeployment,
  compileDeployment,
  type ProviderCatalogue,
} from '../providers/index.ts'

export interface Trial {
  readonly ok: boolean
  readonly status: number | null
  readonly durationMs: number
  readonly detail: string
}

export interface TrialParts {
  readonly catalogue: ProviderCatalogue
  readonly auth: AuthPorts
  readonly client: UpstreamClient
  /** The deployment with its secrets opened; null when they cannot be read. */
  readonly open: (deployment: Deployment) => Promise<DeploymentSnapshot | null>
}

export async function tryDeployment(deployment: Deployment, parts: TrialParts): Promise<Trial> {
  const started = performance.now()
  const done = (ok: boolean, status: number | null, detail: string): Trial => ({
    ok,
    status,
    durationMs: Math.round(performance.now() - started),
    detail,
  })
  const snapshot = await parts.open(deployment)
  const provider = parts.catalogue.find(deployment.providerId)
  if (snapshot === null || provider === undefined) return done(false, null, 'its credential cannot be read')
  try {
    const compiled = compileDeployment(provider, snapshot, parts.auth)
    const status = await probeDeployment(compiled, { path: null, timeoutMs: 15_000, client: parts.client })
    if (status === 401 || status === 403) return done(false, status, 'the provider refuses the credential')
    return done(status < 500, status, status < 400 ? 'reached' : `reached; the provider answered ${status}`)
  } catch (error) {
    return done(false, null, error instanceof Fault ? error.publicText : 'it cannot be reached')
  }
}

export interface Probe {
  /** Path that is fetched; null: the list of models, which costs no tokens. */
  readonly path: string | null
  readonly timeoutMs: number
  readonly client: UpstreamClient
}

/** The status with which a deployment answers one call with its credential. Rejects where it does not. */
export function probeDeployment(
  compiled: CompiledDeployment,
  { path: asked, timeoutMs, client }: Probe,
): Promise<number> {
  const path = asked ?? compiled.pathFor('models.list', '', false) ?? '/'
  const timeouts = { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs }
  return new Promise((resolve, reject) => {
    const proof = { method: 'GET', host: compiled.host, path, contentType: '', body: null }
    compiled.authorize(proof, (failure, headers) => {
      if (failure !== null) return reject(new Error('its credential cannot be used'))
      const call = client.call(
        {
          origin: compiled.origin,
          method: 'GET',
          path,
          headers: [...compiled.headers, ...headers],
          body: null,
          timeouts,
        },
        {
          head(status) {
            resolve(status)
            call.abort()
          },
          data() {},
          end() {},
          failure: ({ kind }) => reject(new Error(kind)),
        },
      )
    })
  })
}
