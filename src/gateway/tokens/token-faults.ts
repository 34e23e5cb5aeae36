/** Refusals of tokens, with the challenges of RFC 6750 §3 and RFC 9449 §7.1, §9. */
import { faults } from '../../faults/catalogue.ts'
import { currentNonce, dpopAlgorithms, type ProofRefusal, type TokenRefusal } from '../../identity/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Snapshot } from '../snapshot.ts'

export type Scheme = 'Bearer' | 'DPoP'

/** Descriptions are our own words and names of claims: printable ASCII without quotes (RFC 6750 §3). */
function quotable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

function challenge(scheme: Scheme, parts: Readonly<Record<string, string>>): readonly string[] {
  const given = scheme === 'DPoP' ? { ...parts, algs: dpopAlgorithms } : parts
  const written = Object.entries(given).map(([name, value]) => `, ${name}="${quotable(value)}"`)
  return ['www-authenticate', `${scheme} realm="gatewright"${written.join('')}`]
}

export function tokenFault(refusal: TokenRefusal, scheme: Scheme, scopes: readonly string[] = []): Fault {
  const { kind, text } = refusal
  switch (kind) {
    case 'invalid': {
      const headers = challenge(scheme, { error: 'invalid_token', error_description: text })
      return new Fault(faults.invalidToken, { public: { reason: text }, headers })
    }
    case 'no-scope': {
      const headers = challenge(scheme, { error: 'insufficient_scope', scope: scopes.join(' ') })
      return new Fault(faults.insufficientScope, { headers })
    }
    case 'no-token':
      return new Fault(faults.invalidKey)
    case 'no-application':
      return new Fault(faults.tokenWithoutApplication)
  }
}

export function proofFault(refusal: ProofRefusal, { peppers }: Snapshot, now: number): Fault {
  switch (refusal.kind) {
    case 'busy':
      return unavailableFault()
    case 'nonce': {
      const nonce = currentNonce(peppers, now)
      if (nonce === null) return unavailableFault()
      const headers = [...challenge('DPoP', { error: 'use_dpop_nonce' }), 'dpop-nonce', nonce]
      return new Fault(faults.dpopNonceNeeded, { headers })
    }
    case 'invalid': {
      const headers = challenge('DPoP', { error: 'invalid_dpop_proof', error_description: refusal.text })
      return new Fault(faults.invalidDpopProof, { public: { reason: refusal.text }, headers })
    }
  }
}

/** Whether the token is good cannot be known now. */
export function unavailableFault(): Fault {
  return new Fault(faults.identityUnavailable, { retryAfterSeconds: 5 })
}
