/**
 * Proof of one key that remembers its last success: the SHA-256 of the key text that was proven by HMAC. The next
 * request with the same text needs that digest alone, which costs an eighth of the HMAC. Nothing readable is kept:
 * the digest of 256 random bits tells nothing, and the text itself is not held.
 *
 * Made anew whenever the key's record changes, so a rotation or revocation leaves no memory behind; bound to the
 * peppers and to the earliest end among the key's secrets.
 */
import { hash } from 'node:crypto'
import { type Peppers, type VerifiableKey, verifyApiKey } from './secret-hash.ts'

/** True when `text` is a live secret of the key. `now`: Unix milliseconds. */
export type KeyProof = (text: string, peppers: Peppers, now: number) => boolean

export function createKeyProof(key: VerifiableKey): KeyProof {
  const ends = key.secrets.map((secret) => secret.expiresAt ?? Number.POSITIVE_INFINITY)
  const until = Math.min(...ends)
  let remembered = ''
  let under: Peppers | null = null
  return (text, peppers, now) => {
    const digest = hash('sha256', text, 'base64')
    if (under === peppers && now < until && isSameDigest(digest, remembered)) return true
    if (!verifyApiKey(text, key, { peppers, now })) return false
    remembered = digest
    under = peppers
    return true
  }
}

/** Without an early end, whatever the digests hold. */
function isSameDigest(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < one.length; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at)
  return difference === 0
}
