/**
 * Proof of one key that remembers its last success: the SHA-256 of the key text that was proven by HMAC. The next
 * request with the same text needs that digest alone, which costs an eighth of the HMAC. Nothing readable is kept:
 * the digest of 256 random bits tells nothing, and the text itself is not held.
 *
 * Made anew whenever the key's record changes, so a rotation or revocation leaves no memory behind; bound to the
 * peppers and to the earliest end among the key's secrets.
 */
import { hash } from 'node:crypto'
import { type Peppers, type VerifiableKey, type VerifyTerms, verifyApiKey } from './secret-hash.ts'

/** Of the whole text of a key, for what follows. */
export function digestKeyText(text: string): string {
  return hash('sha256', text, 'base64')
}

export interface KeyProof {
  /** True when a text of this digest was the last that was proven, and is still good. */
  recalls(digest: string, terms: VerifyTerms): boolean
  /** True when `text`, of which `digest` is, is a live secret of the key. Costs the HMAC. */
  proves(text: string, digest: string, terms: VerifyTerms): boolean
}

export function createKeyProof(key: VerifiableKey): KeyProof {
  const ends = key.secrets.map((secret) => secret.expiresAt ?? Number.POSITIVE_INFINITY)
  const until = Math.min(...ends)
  let remembered = ''
  let under: Peppers | null = null
  return {
    recalls: (digest, { peppers, now }) =>
      under === peppers && now < until && isSameDigest(digest, remembered),
    proves(text, digest, terms) {
      if (!verifyApiKey(text, key, terms)) return false
      remembered = digest
      under = terms.peppers
      return true
    },
  }
}

/** Without an early end, whatever the digests hold. */
function isSameDigest(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at)
  return difference === 0
}
