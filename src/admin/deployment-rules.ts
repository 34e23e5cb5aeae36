/** Rules for deployments that no schema can state: they need the provider's row or the record before. */
import { isDeepStrictEqual } from 'node:util'
import type { Deployment } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { notFound } from './access.ts'
import type { AdminContext } from './context.ts'

type Address = Pick<Deployment, 'providerId' | 'baseUrl' | 'region' | 'settings' | 'allowPrivateNetwork'>

function invalid(field: string, reason: string): Fault {
  return new Fault(faults.invalidField, { public: { field, reason }, param: field })
}

function checkBaseUrl(baseUrl: string, allowPlain: boolean): void {
  const url = URL.parse(baseUrl)
  if (url === null) throw invalid('baseUrl', 'it is not an address')
  if (url.username !== '' || url.password !== '')
    throw invalid('baseUrl', 'it must not hold a user name or password')
  if (url.search !== '' || url.hash !== '') throw invalid('baseUrl', 'it must not hold a query or fragment')
  if (url.protocol === 'http:' && !allowPlain) {
    throw invalid('baseUrl', 'plain http is for private networks only (allowPrivateNetwork)')
  }
}

/** @throws Fault where the provider is unknown, the address cannot be used, or a required setting is missing */
export function requireDeployable(ctx: AdminContext, deployment: Address): void {
  const provider = ctx.deps.providers().find((row) => row.id === deployment.providerId)
  if (provider === undefined) throw notFound('provider', deployment.providerId)
  const { baseUrl, settings } = deployment
  if (baseUrl !== null) checkBaseUrl(baseUrl, deployment.allowPrivateNetwork)
  else if (provider.baseUrl === null) {
    throw new Fault(faults.missingField, { public: { field: 'baseUrl' }, param: 'baseUrl' })
  }
  for (const name of provider.requiredSettings) {
    const value = name === 'region' ? (deployment.region ?? settings[name]) : settings[name]
    if (value === undefined || value === '') {
      throw new Fault(faults.missingField, {
        public: { field: `settings.${name}` },
        param: `settings.${name}`,
      })
    }
  }
}

/**
 * Whoever may change an address must not thereby receive a secret that they cannot read. Settings and region count
 * as address: they fill placeholders of the host.
 * @throws Fault `credentialNeeded`
 */
export function requireFreshCredential(before: Deployment, after: Address, given: boolean): void {
  if (given || before.credential.kind === 'none') return
  const same =
    before.baseUrl === after.baseUrl &&
    before.region === after.region &&
    isDeepStrictEqual(before.settings, after.settings)
  if (!same) throw new Fault(faults.credentialNeeded, { param: 'credential' })
}
