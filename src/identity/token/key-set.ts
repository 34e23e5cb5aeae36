/**
 * Keys of an issuer (RFC 7517). The control plane reads a fetched document into public members; a worker makes key
 * objects of these. What cannot be used is left out: symmetric and private keys, other uses, small RSA keys, unknown
 * curves. Bounds: `maxKeys` keys, `maxDocumentBytes` of document, key ids of 512 characters.
 */
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { IssuerKeys, PublicJwk, TokenAlgorithm } from '../../domain/token-issuer.ts'
import { fitsAlgorithm } from './jws.ts'

const maxKeys = 64
const minRsaBits = 2048
const maxRsaBits = 8192
const maxMemberLength = 4096

/** Members by type, in the order in which a thumbprint takes them (RFC 7638 §3.2, RFC 8037 §2). */
const members: Readonly<Record<string, readonly string[]>> = Object.freeze({
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
})
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The public members of a JWK that may check signatures; null: it may not, or is none. */
export function readPublicJwk(jwk: unknown): PublicJwk | null {
  if (!isJsonObject(jwk)) return null
  const { kty, use, key_ops: operations } = jwk
  const names = typeof kty === 'string' && Object.hasOwn(members, kty) ? members[kty] : undefined
  if (names === undefined || privateMembers.some((name) => Object.hasOwn(jwk, name))) return null
  if (use !== undefined && use !== 'sig') return null
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null
  const read: Record<string, string> = {}
  for (const name of names) {
    const value = jwk[name]
    if (typeof value !== 'string' || value.length > maxMemberLength) return null
    read[name] = value
  }
  return { ...read, ...readLabels(jwk) }
}

function readLabels(jwk: JsonObject): PublicJwk {
  const { kid, alg } = jwk
  return {
    ...(typeof kid === 'string' && kid.length <= 512 ? { kid } : {}),
    ...(typeof alg === 'string' && alg.length <= 32 ? { alg } : {}),
  }
}

/** SHA-256 thumbprint (RFC 7638), base64url. */
export function thumbprintOf(jwk: PublicJwk): string {
  const names = members[jwk['kty'] ?? ''] ?? []
  const canonical = JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]])))
  return hash('sha256', canonical, 'base64url')
}

/** The key of a JWK, if it is sound and strong enough; null: it is not. */
export function importJwk(jwk: PublicJwk): KeyObject | null {
  try {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    const bits = key.asymmetricKeyDetails?.modulusLength
    return bits !== undefined && (bits < minRsaBits || bits > maxRsaBits) ? null : key
  } catch {
    return null
  }
}

/** Keys of a JWK set document; null: it is none. One that cannot be used does not hold up the others. */
export function readKeySet(document: string): readonly PublicJwk[] | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(document)
  } catch {
    return null
  }
  const list = isJsonObject(parsed) ? parsed['keys'] : undefined
  if (!Array.isArray(list) || list.length > maxKeys) return null
  return list.map(readPublicJwk).filter((key) => key !== null && importJwk(key) !== null) as PublicJwk[]
}

export interface SigningKey {
  readonly kid: string | null
  /** Null: the document does not say. */
  readonly alg: string | null
  readonly key: KeyObject
  readonly thumbprint: string
}

/** Keys as a worker uses them. */
export interface KeySet {
  readonly goodUntil: number
  readonly thumbprints: ReadonlySet<string>
  /**
   * The one key for a token. A token that names no key gets one only where no other could be meant: trying several
   * would let a caller choose how much work a request is.
   */
  find(kid: string | null, algorithm: TokenAlgorithm): SigningKey | null
}

export function compileKeySet({ keys, goodUntil }: IssuerKeys): KeySet {
  const compiled: SigningKey[] = []
  for (const jwk of keys) {
    const key = importJwk(jwk)
    if (key === null) continue
    compiled.push({ kid: jwk['kid'] ?? null, alg: jwk['alg'] ?? null, key, thumbprint: thumbprintOf(jwk) })
  }
  return {
    goodUntil,
    thumbprints: new Set(compiled.map(({ thumbprint }) => thumbprint)),
    find(kid, algorithm) {
      const fitting = compiled.filter(
        (each) =>
          (kid === null || each.kid === kid) &&
          (each.alg === null || each.alg === algorithm) &&
          fitsAlgorithm(each.key, algorithm),
      )
      return fitting.length === 1 ? (fitting[0] ?? null) : null
    },
  }
}
