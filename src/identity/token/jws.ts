/**
 * Compact JWS (RFC 7515 §3.1): reading the text and checking its signature, on Node's own cryptography, at once and
 * on the calling thread: a fraction of what WebCrypto costs (docs/decisions). Strict where the format leaves room: base64url
 * without padding or spare bits, one JSON object each, no critical extensions, no member that appears twice.
 *
 * The header chooses nothing: the algorithm must be one that the issuer's row names and that fits the key's type, and
 * `jku`, `x5u`, `x5c` and `jwk` are not looked at (RFC 8725 §3.1, §3.10). Bound: `maxTokenLength` characters.
 */
import { constants, type KeyObject, verify } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { TokenAlgorithm } from '../../domain/token-issuer.ts'

export const maxTokenLength = 16_384

export interface Jws {
  readonly header: JsonObject
  readonly payload: JsonObject
  /** What was signed, and by what. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/** Bytes of strict base64url; null: it is none. A spare bit that is set would give one token two texts. */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function readObject(part: string): JsonObject | null {
  const bytes = decodeBase64url(part)
  if (bytes === null) return null
  try {
    const parsed: unknown = JSON.parse(utf8.decode(bytes))
    return isJsonObject(parsed) ? parsed : null
  } catch {
    return null
  }
}

/** Read a token; nothing of it is proven by that. Null: it is no JWS with a JSON object as payload. */
export function readJws(text: string): Jws | null {
  if (text.length > maxTokenLength) return null
  const first = text.indexOf('.')
  const last = text.lastIndexOf('.')
  if (first <= 0 || last === first || text.indexOf('.', first + 1) !== last) return null
  const header = readObject(text.slice(0, first))
  const payload = readObject(text.slice(first + 1, last))
  const signature = decodeBase64url(text.slice(last + 1))
  if (header === null || payload === null || signature === null || signature.length === 0) return null
  // RFC 7515 §4.1.11: what is critical and not understood makes the token invalid. We understand none (b64 included).
  if (header['crit'] !== undefined) return null
  return { header, payload, signed: Buffer.from(text.slice(0, last), 'latin1'), signature }
}

interface AlgorithmRow {
  readonly hash: string | null
  readonly keyType: 'rsa' | 'ec' | 'ed25519'
  /** Of EC keys (RFC 7518 §3.4). */
  readonly curve?: string
  readonly isPss?: true
}

const rows: Readonly<Record<TokenAlgorithm, AlgorithmRow>> = Object.freeze({
  RS256: { hash: 'sha256', keyType: 'rsa' },
  RS384: { hash: 'sha384', keyType: 'rsa' },
  RS512: { hash: 'sha512', keyType: 'rsa' },
  PS256: { hash: 'sha256', keyType: 'rsa', isPss: true },
  PS384: { hash: 'sha384', keyType: 'rsa', isPss: true },
  PS512: { hash: 'sha512', keyType: 'rsa', isPss: true },
  ES256: { hash: 'sha256', keyType: 'ec', curve: 'prime256v1' },
  ES384: { hash: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  ES512: { hash: 'sha512', keyType: 'ec', curve: 'secp521r1' },
  EdDSA: { hash: null, keyType: 'ed25519' },
})

const byName: ReadonlyMap<string, AlgorithmRow> = new Map(Object.entries(rows))

/** The key is of the kind that the algorithm takes; a key of another kind must never be tried (RFC 8725 §3.1). */
export function fitsAlgorithm(key: KeyObject, algorithm: string): boolean {
  const row = byName.get(algorithm)
  if (row === undefined || key.asymmetricKeyType !== row.keyType) return false
  return row.curve === undefined || key.asymmetricKeyDetails?.namedCurve === row.curve
}

/** True when `key` made the signature. `algorithm` is the issuer's word, never the token's. */
export function verifyJws(jws: Jws, key: KeyObject, algorithm: TokenAlgorithm): boolean {
  const { hash, keyType, isPss } = rows[algorithm]
  if (key.type !== 'public' || !fitsAlgorithm(key, algorithm)) return false
  try {
    if (keyType === 'ec') return verify(hash, jws.signed, { key, dsaEncoding: 'ieee-p1363' }, jws.signature)
    if (isPss !== true) return verify(hash, jws.signed, key, jws.signature)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
    return verify(hash, jws.signed, { key, padding, saltLength }, jws.signature)
  } catch {
    return false
  }
}
