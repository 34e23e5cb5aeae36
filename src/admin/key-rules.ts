/** Rules for API keys that no schema can state. */
import type { ApiKey } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { isCidr } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'

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

/** A revoked key never changes again. @throws Fault 409 */
export function requireActive(key: ApiKey): void {
  if (key.state === 'revoked') throw new Fault(faults.keyEnded, { public: { id: key.keyId } })
}
