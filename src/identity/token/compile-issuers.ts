/**
 * Token issuers of a snapshot, ready for look-ups by what a token carries. Nothing here asks the network.
 */
import { hash } from 'node:crypto'
import type { JsonObject } from '../../domain/json.ts'
import type { TokenAlgorithm, TokenIssuerSnapshot } from '../../domain/token-issuer.ts'
import { hasAudience } from './claims.ts'
import type { Jws } from './jws.ts'

export interface CompiledIssuer extends TokenIssuerSnapshot {
  /** Equal for rows that say the same: verdicts under another are not used. */
  readonly fingerprint: string
}

export interface CompiledIssuers {
  readonly byId: ReadonlyMap<string, CompiledIssuer>
  /** `WWW-Authenticate` of a request without credentials. */
  readonly challenge: string
  /** Who may have issued a signed token: `iss` and audience lead to one row at most. */
  findSigned(claims: JsonObject): CompiledIssuer | null
  /** Who is asked about an opaque token: the longest prefix. */
  findOpaque(token: string): CompiledIssuer | null
}

const realm = 'Bearer realm="gatewright"'

export function compileIssuers(issuers: readonly TokenIssuerSnapshot[]): CompiledIssuers | null {
  if (issuers.length === 0) return null
  const compiled = issuers.map((issuer): CompiledIssuer => {
    const fingerprint = hash('sha256', JSON.stringify(issuer), 'base64')
    return Object.freeze({ ...issuer, fingerprint })
  })
  const signed = new Map<string, CompiledIssuer[]>()
  for (const issuer of compiled) {
    if (issuer.terms.verification !== 'jwks') continue
    const same = signed.get(issuer.issuer)
    if (same === undefined) signed.set(issuer.issuer, [issuer])
    else same.push(issuer)
  }
  const prefixOf = ({ terms }: CompiledIssuer): string => terms.introspection?.tokenPrefix ?? ''
  const opaque = compiled
    .filter(({ terms }) => terms.verification === 'introspection')
    .sort((a, b) => prefixOf(b).length - prefixOf(a).length)
  const takesProofs = compiled.some(({ terms }) => terms.dpop.mode !== 'off')
  return Object.freeze({
    byId: new Map(compiled.map((issuer) => [issuer.id, issuer])),
    challenge: takesProofs ? `${realm}, DPoP algs="${dpopAlgorithms}"` : realm,
    findSigned: (claims: JsonObject) => {
      const { iss } = claims
      const rows = typeof iss === 'string' ? (signed.get(iss) ?? []) : []
      return rows.find(({ terms }) => hasAudience(claims, terms.audiences)) ?? null
    },
    findOpaque: (token: string) => opaque.find((issuer) => token.startsWith(prefixOf(issuer))) ?? null,
  })
}

/** Algorithms of proofs: one for each kind of key that clients have (RFC 9449 §4.2). */
export const dpopAlgorithms = 'ES256 ES384 EdDSA RS256 PS256'

/** The algorithm of a token, where its issuer may use it; null: it may not. */
export function pinnedAlgorithm({ header }: Jws, { terms }: CompiledIssuer): TokenAlgorithm | null {
  return terms.algorithms.find((name) => name === header['alg']) ?? null
}

/** `typ` as RFC 7515 §4.1.9 compares it: without `application/`, in any case. Absent is `JWT`, as most leave it out. */
export function hasType({ header }: Jws, types: readonly string[]): boolean {
  const typ = header['typ'] ?? 'JWT'
  if (typeof typ !== 'string') return false
  const bare = typ.toLowerCase().replace(/^application\//, '')
  return types.some((type) => type.toLowerCase() === bare)
}
