/**
 * Who else may say who a caller is: token issuers that an organization trusts, what their tokens must be like, and
 * which application a token belongs to. Immutable records; times are Unix milliseconds unless they say otherwise.
 */
import type { CredentialSource, ManagedBy } from './entities.ts'

/** Signature algorithms (RFC 7518 §3.1, RFC 8037). Asymmetric ones alone: `none` and HMAC cannot be written here. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type TokenAlgorithm = (typeof tokenAlgorithms)[number]

/** jwks: signed tokens, checked here · introspection: opaque tokens, asked for (RFC 7662). */
export const tokenVerifications = ['jwks', 'introspection'] as const
export type TokenVerification = (typeof tokenVerifications)[number]

/** off: proofs are refused · optional: for tokens that are bound to a key · required: for every token (RFC 9449). */
export const dpopModes = ['off', 'optional', 'required'] as const
export type DpopMode = (typeof dpopModes)[number]

/** Which application a token belongs to. */
export interface ApplicationMapping {
  /** Slug that all tokens belong to; null: a claim says it. */
  readonly slug: string | null
  /** Claim that names the application; null: `slug` does. */
  readonly claim: string | null
  /** Value of the claim → slug; empty: the value is the slug. */
  readonly values: Readonly<Record<string, string>>
}

/** What a scope of a token lets its holder use. */
export interface ScopeGrant {
  readonly scope: string
  readonly models: readonly string[]
  readonly operations: readonly string[]
}

export interface DpopTerms {
  readonly mode: DpopMode
  /** Proofs must carry a nonce of ours. */
  readonly nonce: boolean
  /** Origins under which callers reach the gateway, `https://host[:port]`; a proof names one of them. */
  readonly origins: readonly string[]
}

export interface IntrospectionTerms {
  readonly endpoint: string
  readonly clientId: string
  /** What the tokens begin with; empty: whatever no other issuer claims. */
  readonly tokenPrefix: string
  /** Longest time that a good answer is believed, seconds. */
  readonly cacheSeconds: number
}

/** What tokens of an issuer must be like. */
export interface TokenTerms {
  readonly verification: TokenVerification
  /** Null: found by discovery (RFC 8414, OpenID Connect Discovery). */
  readonly jwksUri: string | null
  /** Null: tokens are signed. */
  readonly introspection: IntrospectionTerms | null
  readonly audiences: readonly string[]
  readonly algorithms: readonly TokenAlgorithm[]
  /** Values of `typ` in the token's header, without `application/`. */
  readonly types: readonly string[]
  readonly clockSkewSeconds: number
  /** A token whose end lies further ahead than this is refused, seconds. */
  readonly maxLifetimeSeconds: number
  /** Claim → values of which it must have one; empty: it must be there. */
  readonly requiredClaims: Readonly<Record<string, readonly string[]>>
  readonly application: ApplicationMapping
  /** Claim that names the team; null: that of the application. */
  readonly teamClaim: string | null
  /** Claim that names the end user; null: the request may. */
  readonly userClaim: string | null
  /** Empty: a token may use what its application may. */
  readonly scopes: readonly ScopeGrant[]
  readonly dpop: DpopTerms
  readonly allowPrivateNetwork: boolean
}

export interface TokenIssuer {
  readonly id: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly managedBy: ManagedBy
  readonly organizationId: string
  /** Unique in its organization. */
  readonly name: string
  /** `iss` of its tokens, exactly. */
  readonly issuer: string
  readonly enabled: boolean
  readonly terms: TokenTerms
  /** Secret field `clientSecret` for introspection. */
  readonly credential: CredentialSource
}

/** token: one, by its `jti` · subject: all of a `sub` · issuer: all of them. Tokens issued until `issuedUntil`. */
export const revocationKinds = ['token', 'subject', 'issuer'] as const
export type RevocationKind = (typeof revocationKinds)[number]

/** Never taken back: it ends when the last token that it can be about has ended. */
export interface TokenRevocation {
  readonly id: string
  readonly createdAt: number
  readonly organizationId: string
  readonly issuerId: string
  readonly kind: RevocationKind
  /** `jti` or `sub`; empty for `issuer`. */
  readonly value: string
  /** Tokens issued later are not meant. */
  readonly issuedUntil: number
  readonly expiresAt: number
}

/** An issuer as workers know it: names of applications resolved, no secret. */
export interface TokenIssuerSnapshot {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly issuer: string
  readonly terms: TokenTerms
  /** Slug → id of the organization's applications that `terms` may name. */
  readonly applications: Readonly<Record<string, string>>
}

/** A public key (RFC 7517), its public members alone. */
export type PublicJwk = Readonly<Record<string, string>>

/** The keys of an issuer as they were fetched. */
export interface IssuerKeys {
  readonly issuerId: string
  readonly keys: readonly PublicJwk[]
  /** They are believed until then, while the issuer cannot be reached. */
  readonly goodUntil: number
}

export type RevocationSnapshot = Omit<TokenRevocation, 'createdAt' | 'organizationId'>
