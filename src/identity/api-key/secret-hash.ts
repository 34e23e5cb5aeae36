/**
 * Proof of possession: HMAC-SHA-256 of the whole key text under a versioned pepper (RFC 2104), compared in
 * constant time. A key has 256 random bits, so a fast hash is enough; the pepper makes a stolen database useless.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/** Peppers by version, ready for use. */
export type Pepper = KeyObject | Buffer
export type Peppers = ReadonlyMap<number, Pepper>

/** From versions (decimal) to base64, as snapshots carry them. */
export function compilePeppers(peppers: Readonly<Record<string, string>>): Peppers {
  const compiled = new Map<number, KeyObject>()
  for (const [version, pepper] of Object.entries(peppers)) {
    compiled.set(Number(version), createSecretKey(pepper, 'base64'))
  }
  return compiled
}

function digest(text: string, pepper: Pepper): Buffer {
  return createHmac('sha256', pepper).update(text).digest()
}

/** Base64, 44 characters. */
export function hashApiKey(text: string, pepper: Pepper): string {
  return digest(text, pepper).toString('base64')
}

/** What verification reads of a key or token; `KeySnapshot` fits. */
export interface VerifiableKey {
  readonly secrets: readonly VerifiableSecret[]
}
export interface VerifiableSecret {
  readonly hash: string
  readonly pepperVersion: number
  /** Unix milliseconds; null: until the key ends. */
  readonly expiresAt: number | null
}

/** Stored hashes as bytes, decoded once per snapshot object. */
const decoded = new WeakMap<VerifiableSecret, Buffer>()

function storedHash(secret: VerifiableSecret): Buffer {
  let bytes = decoded.get(secret)
  if (bytes === undefined) {
    bytes = Buffer.from(secret.hash, 'base64')
    decoded.set(secret, bytes)
  }
  return bytes
}

export interface VerifyTerms {
  readonly peppers: Peppers
  /** Unix milliseconds. */
  readonly now: number
}

/**
 * True when the whole text is one of the key's live secrets: compared with each, without stopping at a match. The
 * end of the key itself is not looked at, so that the caller can tell its holder that it has expired.
 * Cost: one HMAC per distinct pepper among at most two secrets. A pepper that is absent matches nothing.
 */
export function verifyApiKey(text: string, key: VerifiableKey, { peppers, now }: VerifyTerms): boolean {
  let matched = false
  let hashedUnder = -1
  let presented: Buffer | null = null
  for (const secret of key.secrets) {
    if (secret.expiresAt !== null && secret.expiresAt <= now) continue
    if (presented === null || hashedUnder !== secret.pepperVersion) {
      const pepper = peppers.get(secret.pepperVersion)
      if (pepper === undefined) continue
      presented = digest(text, pepper)
      hashedUnder = secret.pepperVersion
    }
    const stored = storedHash(secret)
    if (stored.length === presented.length && timingSafeEqual(stored, presented)) matched = true
  }
  return matched
}
