/**
 * The nouns of the management plane (see ARCHITECTURE.md, "Words"). Immutable records as stored; ids are
 * `<prefix>_<22 base62>`, times are Unix milliseconds. `managedBy` says who may change a record: objects from
 * `gatewright.yaml` or from the environment are read-only elsewhere.
 */
import type { DialectId } from './dialect-id.ts'
import type { GuardMatch, GuardTerms } from './guards.ts'
import type { KeyLeak, KeyPolicy, KeyQuarantine } from './key-policy.ts'
import type { LimitMatch, LimitMeter, LimitTerms, PriorityClass, QueueTerms } from './limits.ts'
import type { RoutePolicy } from './routing.ts'

export type ManagedBy = 'api' | 'file' | 'environment' | 'setup'

interface Stored {
  readonly id: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly managedBy: ManagedBy
}

/** Tenant: the isolation boundary. */
export interface Organization extends Stored {
  readonly slug: string
  readonly name: string
  /** What it asks of all its API keys. */
  readonly keyPolicy: KeyPolicy
}

/** A consumer of APIs; holds subscriptions and API keys. */
export interface Application extends Stored {
  readonly organizationId: string
  readonly slug: string
  readonly name: string
  readonly description: string
  /** Whose application it is; limits may count per team. Empty: nobody's. */
  readonly team: string
  /** What it asks of its API keys beyond its organization. */
  readonly keyPolicy: KeyPolicy
}

export const lifecycleStates = ['draft', 'published', 'deprecated', 'retired'] as const
export type LifecycleState = (typeof lifecycleStates)[number]

/** A published API: which operations on which model routes. */
export interface ApiProduct extends Stored {
  readonly organizationId: string
  readonly slug: string
  readonly name: string
  readonly version: string
  readonly description: string
  readonly state: LifecycleState
  /** Operation ids (`domain/operations.ts`), or `['*']`. */
  readonly operations: readonly string[]
  /** Model route names or patterns with one trailing `*`, or `['*']`. */
  readonly models: readonly string[]
}

export const subscriptionStates = ['pending', 'active', 'paused', 'revoked', 'expired'] as const
export type SubscriptionState = (typeof subscriptionStates)[number]

export interface Subscription extends Stored {
  readonly organizationId: string
  readonly applicationId: string
  readonly productId: string
  readonly state: SubscriptionState
  /** Whose limits hold for the application's use of the product; null: no plan's. */
  readonly planId: string | null
}

/** How much a subscription allows: limits, and how its exchanges wait beside others. */
export interface Plan extends Stored {
  readonly organizationId: string
  readonly slug: string
  readonly name: string
  readonly description: string
  /** Names are unique within the plan. */
  readonly limits: readonly LimitTerms[]
  readonly priority: PriorityClass
  /** Share of the queue among applications of one priority. */
  readonly weight: number
  readonly queue: QueueTerms
}

/** A rule that stands alone: it holds for everything in its organization that it matches. */
export interface Limit extends Stored, LimitTerms {
  readonly organizationId: string
  readonly match: LimitMatch
}

/** What is looked for in everything in its organization that it matches. */
export interface Guard extends Stored, GuardTerms {
  readonly organizationId: string
  readonly match: GuardMatch
}

/** Raises one counter of a calendar limit, for the period in which it falls. */
export interface TopUp extends Stored {
  readonly organizationId: string
  /** Id of a limit, or what `planRuleId` makes for a limit of a plan. */
  readonly limitId: string
  /** Of the limit when the top-up was made; it counts as long as the limit meters the same. */
  readonly meter: LimitMeter
  /** The counter: subject values in the order of the limit's `per`, joined by `|`. */
  readonly subject: string
  readonly amount: number
  readonly at: number
  readonly note: string
}

/** How a deployment finds its secret: sealed in the store, or a reference read when configuration loads. */
export type CredentialSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'sealed'; readonly credentialId: string }
  /** Secret field → `env:NAME` or `file:/path`; read when configuration loads, never stored. */
  | { readonly kind: 'references'; readonly fields: Readonly<Record<string, string>> }

/** One endpoint + credential + region of a provider. */
export interface Deployment extends Stored {
  readonly organizationId: string
  /** Unique within the organization; shown to callers in `x-gatewright-deployment`. */
  readonly slug: string
  /** Row of the provider catalogue. */
  readonly providerId: string
  /** Overrides the provider's base URL; required where the provider has none. */
  readonly baseUrl: string | null
  /** Overrides the provider's dialect. */
  readonly dialect: DialectId | null
  readonly region: string | null
  /** Provider settings by name: Azure `apiVersion`, Vertex `project`, Bedrock `region` … (no secrets). */
  readonly settings: Readonly<Record<string, string>>
  readonly credential: CredentialSource
  /** Allow this deployment's host to resolve to private or loopback addresses. */
  readonly allowPrivateNetwork: boolean
  readonly enabled: boolean
  readonly timeouts: Readonly<Partial<UpstreamTimeouts>>
}

/** Milliseconds each. */
export interface UpstreamTimeouts {
  readonly connectMs: number
  /** From the request's last byte to the response head. */
  readonly firstByteMs: number
  /** Longest silence within a response. */
  readonly idleMs: number
  readonly totalMs: number
}

export interface RouteTarget {
  readonly deployment: string
  /** Model name at the provider; null: the name the caller asked for (after the pattern's prefix). */
  readonly model: string | null
  /** Targets of the lowest number are tried first; within one number by weight. */
  readonly priority: number
  readonly weight: number
}

/** Public model name → deployments. */
export interface ModelRoute extends Stored {
  readonly organizationId: string
  /** Exact name, or a pattern with one trailing `*` (`openai/*`). */
  readonly name: string
  readonly aliases: readonly string[]
  readonly targets: readonly RouteTarget[]
  readonly description: string
  readonly enabled: boolean
  /** These go before those of the deployment, which go before those of the configuration. */
  readonly timeouts: Readonly<Partial<UpstreamTimeouts>>
  readonly policy: RoutePolicy
}

/** One Cedar policy. An organization that has an enabled one allows nothing that none permits. */
export interface AccessPolicy extends Stored {
  readonly organizationId: string
  /** Names the policy in decisions. */
  readonly slug: string
  readonly description: string
  /** Cedar text: one policy. */
  readonly cedar: string
  readonly enabled: boolean
  /** Counts the changes of `cedar` and `enabled`, from 1. */
  readonly revision: number
}

export type KeyEnvironment = 'live' | 'test'
export const keyStates = ['active', 'quarantined', 'revoked'] as const
export type KeyState = (typeof keyStates)[number]

export interface ApiKey extends Stored {
  readonly organizationId: string
  readonly applicationId: string
  /** Public part of the key, 12 base62: names it in logs and finds it in one look-up. */
  readonly keyId: string
  readonly name: string
  readonly environment: KeyEnvironment
  readonly state: KeyState
  /** Patterns as in products; null: whatever the subscriptions allow. */
  readonly models: readonly string[] | null
  readonly operations: readonly string[] | null
  /** Allowed source networks, v4 or v6 CIDR; empty: anywhere. */
  readonly cidrs: readonly string[]
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
  /** Set while its state is `quarantined`; null otherwise. */
  readonly quarantine: KeyQuarantine | null
  /** Reports that it leaked, oldest first; at most `maxKeyLeaks`. */
  readonly leaks: readonly KeyLeak[]
}

/** One version of a key's secret. Two versions overlap during a rotation. */
export interface ApiKeySecret {
  readonly keyId: string
  readonly version: number
  /** HMAC-SHA-256 of the whole key text under the pepper, base64. */
  readonly hash: string
  readonly pepperVersion: number
  readonly createdAt: number
  /** End of the overlap; null: until the key ends. */
  readonly expiresAt: number | null
}

export const adminScopes = ['read', 'write', 'keys', 'admin'] as const
export type AdminScope = (typeof adminScopes)[number]

/** Token for the admin API; `gwa_…`. `admin` includes all scopes. */
export interface AdminToken extends Stored {
  /** Null: all organizations. */
  readonly organizationId: string | null
  readonly tokenId: string
  readonly name: string
  readonly scopes: readonly AdminScope[]
  readonly hash: string
  readonly pepperVersion: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

/** A sealed provider credential: named secret fields, for example `apiKey`, or `accessKeyId` + `secretAccessKey`. */
export interface SealedCredential {
  readonly id: string
  readonly organizationId: string
  readonly sealed: string
  readonly createdAt: number
}
