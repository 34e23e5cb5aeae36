/**
 * Proof of possession: HMAC-SHA-256 of the whole key text under a versioned pepper (RFC 2104), compared in
 * constant time. A key has 256 random bits, so a fast hash is enough; the pepper makes a stolen database useless.
 */
import { hash, timingSafeEqual } from 'node:crypto'

/**
 * A pepper as the first blocks of HMAC (RFC 2104 §2), key ⊕ ipad and key ⊕ opad, each with room behind it for what is
 * hashed after it. Own memory, not of the buffer pool: nothing of a pepper stays where other buffers are cut from.
 */
export interface Pepper {
  readonly inner: Buffer
  readonly outer: Buffer
}
/** Peppers by version, ready for use. */
export type Peppers = ReadonlyMap<number, Pepper>

const blockBytes = 64
const digestBytes = 32
/** A key text has about 100 bytes; longer texts, of tokens or tests, are hashed in memory of their own. */
const textBytes = 512

/** @param key bytes of the pepper */
export function compilePepper(key: Uint8Array): Pepper {
  // RFC 2104 §2: a key longer than a block counts as its hash.
  const short = key.length > blockBytes ? hash('sha256', key, 'buffer') : key
  const inner = Buffer.alloc(blockBytes + textBytes).fill(0x36, 0, blockBytes)
  const outer = Buffer.alloc(blockBytes + digestBytes).fill(0x5c, 0, blockBytes)
  for (const [at, byte] of short.entries()) {
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  return { inner, outer }
}

/** From versions (decimal) to base64, as snapshots carry them. */
export function compilePeppers(peppers: Readonly<Record<string, string>>): Peppers {
  const compiled = new Map<number, Pepper>()
  for (const [version, pepper] of Object.entries(peppers)) {
    compiled.set(Number(version), compilePepper(Buffer.from(pepper, 'base64')))
  }
  return compiled
}

/** HMAC as two one-shot hashes: half the cost of an `Hmac` object for texts as short as a key. */
function digest(text: string, { inner, outer }: Pepper): Buffer {
  const end = blockBytes + Buffer.byteLength(text)
  const message = end <= inner.length ? inner : Buffer.alloc(end)
  if (message !== inner) message.set(inner.subarray(0, blockBytes))
  message.write(text, blockBytes, 'utf8')
  outer.set(hash('sha256', message.subarray(0, end), 'buffer'), blockBytes)
  return hash('sha256', outer, 'buffer')
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
