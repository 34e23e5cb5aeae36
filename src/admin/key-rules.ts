/** Rules for API keys that no schema can state. */
import type { ApiKey } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { findBreach, isCidr, strictestPolicy } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { AdminContext } from './context.ts'

/** @throws Fault naming the first network that is not CIDR */
export function requireCidrs(cidrs: readonly string[]): void {
  cidrs.forEach((cidr, index) => {
    if (isCidr(cidr)) return
    const field = `cidrs[${index}]`
    throw new Fault(faults.invalidField, {
      public: { field, reason: 'it is not a network in CIDR form' },
      param: field,
    })
  })
}

/** The key as it is to be, and when its newest secret was made. */
export interface PlannedKey extends Pick<ApiKey, 'organizationId' | 'applicationId' | 'expiresAt' | 'cidrs'> {
  readonly rotatedAt: number
}

/** @throws Fault 422 saying what the policies of its organization and application ask, and what to do */
export async function requirePolicy({ deps }: AdminContext, key: PlannedKey): Promise<void> {
  const { organizations, applications } = deps.store
  const organization = await organizations.get(key.organizationId)
  const application = await applications.get(key.organizationId, key.applicationId)
  const policy = strictestPolicy(organization?.keyPolicy ?? {}, application?.keyPolicy ?? {})
  const breach = findBreach(key, policy)
  if (breach === null) return
  throw new Fault(faults.keyPolicyBroken, { public: { demand: breach.demand }, param: breach.field })
}

/** A revoked key never changes again. @throws Fault 409 */
export function requireActive(key: ApiKey): void {
  if (key.state === 'revoked') throw new Fault(faults.keyEnded, { public: { id: key.keyId } })
}
