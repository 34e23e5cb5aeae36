/**
 * Proof of possession (RFC 9449 §4.3): the caller signs method and address of this request, and the token, with the
 * key that the token is bound to. The key stands in the proof itself: it is trusted because its thumbprint is in the
 * token, and for nothing else.
 */
import { hash, type KeyObject } from 'node:crypto'
import { isJsonObject } from '../../domain/json.ts'
import type { DpopTerms, PublicJwk, TokenAlgorithm } from '../../domain/token-issuer.ts'
import type { Peppers } from '../api-key/secret-hash.ts'
import { dpopAlgorithms } from './compile-issuers.ts'
import { isLiveNonce } from './dpop-nonce.ts'
import { readJws, verifyJws } from './jws.ts'
import { importJwk, readPublicJwk, thumbprintOf } from './key-set.ts'
import type { ReplayStore } from './replay-store.ts'

/** Age from which a proof is refused, besides the skew of the issuer. */
const proofMs = 60_000
const maxProofLength = 8192
const maxJtiLength = 256

/** The request that a proof must be about. */
export interface ProvenRequest {
  readonly method: string
  /** Path as it was asked for, without query. */
  readonly path: string
  readonly accessToken: string
  /** Thumbprint that the token is bound to. */
  readonly boundTo: string
}

export interface ProofTerms {
  readonly dpop: DpopTerms
  readonly skewMs: number
  readonly peppers: Peppers
  /** Unix milliseconds. */
  readonly now: number
  readonly replays: ReplayStore
}

/** nonce: it would do with a nonce of ours · busy: whether it was used before cannot be known. */
export type ProofRefusal =
  | { readonly kind: 'invalid'; readonly text: string }
  | { readonly kind: 'nonce' | 'busy' }

const algorithms = new Set(dpopAlgorithms.split(' '))

/** Keys by thumbprint: importing one costs as much as half a signature. Only keys of tokens that were found good. */
const imported = new Map<string, KeyObject>()
const maxImported = 4096

function keyOf(jwk: PublicJwk, thumbprint: string): KeyObject | null {
  const known = imported.get(thumbprint)
  if (known !== undefined) return known
  const key = importJwk(jwk)
  if (key === null) return null
  if (imported.size >= maxImported) imported.clear()
  imported.set(thumbprint, key)
  return key
}

function invalid(text: string): ProofRefusal {
  return { kind: 'invalid', text }
}

/** Scheme, host, port and path, as RFC 9449 §4.3 compares them: normalised, without query and fragment. */
function addressOf(text: unknown): { readonly origin: string; readonly path: string } | null {
  if (typeof text !== 'string' || text.length > 4096 || !URL.canParse(text)) return null
  const { origin, pathname } = new URL(text)
  return { origin, path: pathname }
}

function normalPath(path: string): string {
  const base = 'https://gateway.invalid'
  return URL.canParse(path, base) ? new URL(path, base).pathname : path
}

function aboutRequest(claims: Readonly<Record<string, unknown>>, request: ProvenRequest, dpop: DpopTerms) {
  if (claims['htm'] !== request.method) return 'it is for another method'
  const address = addressOf(claims['htu'])
  const origins = dpop.origins.map((origin) => new URL(origin).origin)
  if (address === null || !origins.includes(address.origin) || address.path !== normalPath(request.path))
    return 'it is for another address'
  const ath = hash('sha256', request.accessToken, 'base64url')
  return claims['ath'] === ath ? null : 'it is for another token'
}

/** Null: the proof is good, and is used up. */
export function refuseProof(text: string, request: ProvenRequest, terms: ProofTerms): ProofRefusal | null {
  const jws = text.length <= maxProofLength ? readJws(text) : null
  if (jws === null) return invalid('it is malformed')
  const { typ, alg, jwk } = jws.header
  if (typ !== 'dpop+jwt') return invalid('its typ is not dpop+jwt')
  if (typeof alg !== 'string' || !algorithms.has(alg)) return invalid('its algorithm is not taken')
  const read = isJsonObject(jwk) ? readPublicJwk(jwk) : null
  if (read === null) return invalid('its key is not taken')
  if (thumbprintOf(read) !== request.boundTo)
    return invalid('it is signed by another key than the token is bound to')
  const key = keyOf(read, request.boundTo)
  if (key === null) return invalid('its key is not taken')
  if (!verifyJws(jws, key, alg as TokenAlgorithm)) return invalid('its signature is wrong')
  const about = aboutRequest(jws.payload, request, terms.dpop)
  return about === null ? judgeFreshness(jws.payload, request.boundTo, terms) : invalid(about)
}

function judgeFreshness(
  { iat, jti, nonce }: Readonly<Record<string, unknown>>,
  boundTo: string,
  { dpop, skewMs, peppers, now, replays }: ProofTerms,
): ProofRefusal | null {
  if (typeof jti !== 'string' || jti === '' || jti.length > maxJtiLength)
    return invalid('its jti is malformed')
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return invalid('its iat is malformed')
  if (dpop.nonce && !(typeof nonce === 'string' && isLiveNonce(nonce, peppers, now))) return { kind: 'nonce' }
  const madeAt = iat * 1000
  if (madeAt > now + skewMs || madeAt < now - proofMs - skewMs) return invalid('it is not of now')
  const answer = replays.add(`${boundTo} ${jti}`, madeAt + proofMs + skewMs + 1000, now)
  if (answer === 'full') return { kind: 'busy' }
  return answer === 'seen' ? invalid('it was used before') : null
}
