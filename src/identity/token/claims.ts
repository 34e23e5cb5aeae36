/**
 * What a token says, judged by its issuer's row: RFC 7519 §4.1, RFC 9068 §4, RFC 8725. The same for the answer of an
 * introspection endpoint (RFC 7662 §2.2). Whatever is missing, of another type or out of bounds refuses the token.
 */
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { ScopeGrant, TokenTerms } from '../../domain/token-issuer.ts'

/** Longest `sub`, `jti` and mapped claim. */
const maxClaimLength = 512
const maxScopes = 256

/** Why a token is not taken. `text` is shown to its holder: it says what is wrong with the token, nothing about us. */
export interface TokenRefusal {
  /** no-token: it is nothing that any issuer here could have issued. */
  readonly kind: 'invalid' | 'no-token' | 'no-application' | 'no-scope'
  readonly text: string
}

export function refuseToken(text: string, kind: TokenRefusal['kind'] = 'invalid'): TokenRefusal {
  return { kind, text }
}

/** What is kept of a token that was found good. */
export interface TokenFacts {
  readonly subject: string
  /** Null: it has none. */
  readonly tokenId: string | null
  /** Unix milliseconds; null: it does not say. */
  readonly issuedAt: number | null
  /** Unix milliseconds. */
  readonly endsAt: number
  readonly applicationId: string
  readonly team: string | null
  readonly user: string
  /** Null: what its application may use. */
  readonly models: readonly string[] | null
  readonly operations: readonly string[] | null
  /** Thumbprint of the key that the token is bound to (RFC 9449 §6.1); null: whoever holds it may use it. */
  readonly boundTo: string | null
}

export interface ClaimTerms {
  readonly issuer: string
  readonly terms: TokenTerms
  readonly applications: Readonly<Record<string, string>>
}

/** A claim by name; a dot goes into objects where no claim has the whole name (`realm_access.roles`). */
function claimOf(claims: JsonObject, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxClaimLength
}

/** Seconds as in `exp` (RFC 7519 §2 NumericDate), in milliseconds; null: absent; undefined: malformed. */
function timeOf(value: unknown): number | null | undefined {
  if (value === undefined) return null
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
}

/** Times of the token against the clock. */
function judgeTimes(claims: JsonObject, terms: TokenTerms, now: number): TokenRefusal | { end: number } {
  const end = timeOf(claims['exp'])
  const begin = timeOf(claims['nbf'])
  const issued = timeOf(claims['iat'])
  const skew = terms.clockSkewSeconds * 1000
  if (end === undefined || end === null) return refuseToken('it does not say when it ends')
  if (begin === undefined || issued === undefined) return refuseToken('a time in it is malformed')
  if (now >= end + skew) return refuseToken('it has expired')
  if (begin !== null && now < begin - skew) return refuseToken('it is not valid yet')
  if (issued !== null && now < issued - skew) return refuseToken('it was issued in the future')
  if (end > now + skew + terms.maxLifetimeSeconds * 1000) return refuseToken('it lives too long')
  return { end: end + skew }
}

function judgeRequired(claims: JsonObject, terms: TokenTerms): TokenRefusal | null {
  for (const [name, allowed] of Object.entries(terms.requiredClaims)) {
    const value = claimOf(claims, name)
    if (value === undefined || value === null) return refuseToken(`it has no claim ${name}`)
    if (allowed.length > 0 && !textsOf(value).some((text) => allowed.includes(text)))
      return refuseToken(`its claim ${name} has another value`)
  }
  return null
}

/** `aud` names one of ours. An answer of introspection may leave it out; a signed token may not. */
export function hasAudience(claims: JsonObject, audiences: readonly string[]): boolean {
  return textsOf(claims['aud']).some((audience) => audiences.includes(audience))
}

function applicationOf(claims: JsonObject, { terms, applications }: ClaimTerms): string | undefined {
  const { slug, claim, values } = terms.application
  if (claim === null)
    return slug !== null && Object.hasOwn(applications, slug) ? applications[slug] : undefined
  const value = claimOf(claims, claim)
  if (!isShortText(value)) return undefined
  const isMapped = Object.keys(values).length > 0
  const named = isMapped ? (Object.hasOwn(values, value) ? values[value] : undefined) : value
  return named !== undefined && Object.hasOwn(applications, named) ? applications[named] : undefined
}

function scopesOf(claims: JsonObject): ReadonlySet<string> {
  const { scope, scp } = claims
  const words = typeof scope === 'string' ? scope.split(' ') : textsOf(scp).flatMap((each) => each.split(' '))
  return new Set(words.slice(0, maxScopes))
}

interface Reach {
  readonly models: readonly string[] | null
  readonly operations: readonly string[] | null
}

/** What its scopes let a token use; null: none of them lets it use anything. */
function reachOf(claims: JsonObject, grants: readonly ScopeGrant[]): Reach | null {
  if (grants.length === 0) return { models: null, operations: null }
  const scopes = scopesOf(claims)
  const held = grants.filter(({ scope }) => scopes.has(scope))
  if (held.length === 0) return null
  const joined = (field: 'models' | 'operations') => [...new Set(held.flatMap((grant) => grant[field]))]
  return { models: joined('models'), operations: joined('operations') }
}

/** A mapped claim: null where the row maps none, undefined where the token lacks it. */
function mappedClaim(claims: JsonObject, name: string | null): string | null | undefined {
  if (name === null) return null
  const value = claimOf(claims, name)
  return isShortText(value) ? value : undefined
}

/** `cnf` (RFC 7800): a bound that is not understood must not be dropped. */
function boundOf(claims: JsonObject): TokenRefusal | { jkt: string | null } {
  const { cnf } = claims
  if (cnf === undefined) return { jkt: null }
  const jkt = isJsonObject(cnf) ? cnf['jkt'] : undefined
  const isKnown = isJsonObject(cnf) && Object.keys(cnf).length === 1 && isShortText(jkt)
  return isKnown ? { jkt } : refuseToken('it is bound to its holder in a way that is not known here')
}

/** Judge claims whose origin is proven. `now`: Unix milliseconds. */
export function judgeClaims(claims: JsonObject, rules: ClaimTerms, now: number): TokenFacts | TokenRefusal {
  const { terms } = rules
  const times = judgeTimes(claims, terms, now)
  if ('text' in times) return times
  const required = judgeRequired(claims, terms)
  if (required !== null) return required
  const bound = boundOf(claims)
  if ('text' in bound) return bound
  const subject = claims['sub'] ?? claims['client_id']
  const tokenId = claims['jti'] ?? null
  if (!isShortText(subject)) return refuseToken('it has no subject')
  if (tokenId !== null && !isShortText(tokenId)) return refuseToken('its jti is malformed')
  const team = mappedClaim(claims, terms.teamClaim)
  const user = mappedClaim(claims, terms.userClaim)
  if (team === undefined) return refuseToken(`it has no claim ${terms.teamClaim}`)
  if (user === undefined) return refuseToken(`it has no claim ${terms.userClaim}`)
  const applicationId = applicationOf(claims, rules)
  if (applicationId === undefined)
    return refuseToken('it belongs to no application of the organization', 'no-application')
  const reach = reachOf(claims, terms.scopes)
  if (reach === null) return refuseToken('it has none of the scopes that give access', 'no-scope')
  return {
    subject,
    tokenId,
    issuedAt: timeOf(claims['iat']) ?? null,
    endsAt: times.end,
    applicationId,
    team,
    user: user ?? '',
    ...reach,
    boundTo: bound.jkt,
  }
}
