/**
 * What the data plane needs to know, as plain data that can cross threads. The control plane is the only writer;
 * workers compile it (`gateway/snapshot.ts`), freeze it, and swap it whole.
 */
import type { ContentLogBounds } from './content.ts'
import type { DialectId } from './dialect-id.ts'
import type { KeyEnvironment, RouteTarget, UpstreamTimeouts } from './entities.ts'
import type { GuardRule } from './guards.ts'
import type { JsonValue } from './json.ts'
import type { LimitRule, LimitTopUp, PlanSnapshot } from './limits.ts'
import type { RoutePolicy } from './routing.ts'
import type { IssuerKeys, RevocationSnapshot, TokenIssuerSnapshot } from './token-issuer.ts'
import type { TracingTerms } from './tracing.ts'

export interface DeploymentSnapshot {
  readonly id: string
  readonly slug: string
  readonly organizationId: string
  readonly providerId: string
  readonly baseUrl: string | null
  readonly dialect: DialectId | null
  readonly region: string | null
  readonly settings: Readonly<Record<string, string>>
  /** Opened secret fields; they exist in memory only. */
  readonly secrets: Readonly<Record<string, string>>
  readonly allowPrivateNetwork: boolean
  readonly timeouts: UpstreamTimeouts
}

export interface RouteSnapshot {
  readonly organizationId: string
  readonly name: string
  readonly aliases: readonly string[]
  readonly createdAt: number
  /** `deployment` is a deployment id here. */
  readonly targets: readonly RouteTarget[]
  /** Go before the timeouts of the deployments. */
  readonly timeouts: Readonly<Partial<UpstreamTimeouts>>
  /** How to choose among the targets; the canary's `deployment` is a deployment id here. */
  readonly policy?: RoutePolicy
}

/** What an application's active subscriptions to published products allow. */
export interface GrantSnapshot {
  readonly productId: string
  readonly models: readonly string[]
  readonly operations: readonly string[]
  /** Plan of the subscription; null: no plan's limits. */
  readonly planId: string | null
}
export interface ApplicationSnapshot {
  readonly id: string
  readonly organizationId: string
  /** Empty: none. */
  readonly team: string
  readonly grants: readonly GrantSnapshot[]
  /** Age of its newest secret, milliseconds, from which a key is refused; absent: none. */
  readonly refusedKeyAgeMs?: number
}

export interface PriceRow {
  /** Provider id, or `*`. */
  readonly provider: string
  /** Model at the provider: exact, or a pattern with a trailing `*`. */
  readonly model: string
  /** US dollars per million tokens. */
  readonly inputPerMillion: number
  readonly outputPerMillion: number
  readonly cachedInputPerMillion: number | null
  readonly cacheWritePerMillion: number | null
}

export const forwardedHeaders = ['x-forwarded-for', 'forwarded'] as const
export type ForwardedHeader = (typeof forwardedHeaders)[number]

/** Bounds of the data plane; bytes, milliseconds, counts. */
export interface GatewayBounds {
  readonly headerBytes: number
  readonly headerCount: number
  readonly bodyBytes: number
  readonly uploadBytes: number
  readonly jsonDepth: number
  readonly jsonKeys: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly newConnectionsPerSecond: number
  /** Wrong keys of one client, a minute and worker, before the next are refused unseen; 0: no bound. */
  readonly wrongKeysPerMinute: number
  readonly handshakesPerSecond: number
  readonly handshakeTimeoutMs: number
  readonly headerTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly bodyGraceMs: number
  readonly bodyBytesPerSecond: number
  readonly idleTimeoutMs: number
  readonly replyStallTimeoutMs: number
  readonly replyBytesPerSecond: number
  readonly replyBufferBytes: number
  readonly http2Streams: number
  /** Mean delay of the event loop at which exchanges of the lowest priority are turned away; 0: none are. */
  readonly loopDelayMs: number
  /** Resident memory that the process may come to hold; 0: what the container or the machine has. */
  readonly memoryBytes: number
  /** SSE comment interval until the first token; 0: none. */
  readonly keepAliveCommentMs: number
  /** Largest unary upstream response read whole. */
  readonly responseBytes: number
}

/**
 * How surely an event is on disk. `durable`: before the answer ends. `group`: within 50 ms; while the disk takes none,
 * what cannot be held is refused. `best-effort`: the same, and the oldest are given up where no more can be held.
 */
export type EventClass = 'durable' | 'group' | 'best-effort'

/** An organization's policies, and the names that they know things by. Organizations without policies have none. */
export interface OrganizationPolicySnapshot {
  readonly organizationId: string
  /** Slug. */
  readonly organization: string
  /** In Cedar's JSON form, read and checked by the control plane. */
  readonly policies: readonly { readonly name: string; readonly json: JsonValue }[]
  readonly applications: readonly { readonly id: string; readonly slug: string; readonly team: string }[]
  readonly products: readonly { readonly id: string; readonly slug: string }[]
}

/** What workers do for events that go to sinks. */
export interface EventSettings {
  /** Of `access` and `usage`. */
  readonly exchanges: EventClass
  /** Of exchanges that say something to `security`, too: the surer of both counts. */
  readonly security: Exclude<EventClass, 'best-effort'>
}

export interface SnapshotConfig {
  readonly version: number
  readonly deployments: readonly DeploymentSnapshot[]
  readonly routes: readonly RouteSnapshot[]
  readonly applications: readonly ApplicationSnapshot[]
  /** Rules that stand alone; those of a plan are in `plans`. */
  readonly limits: readonly LimitRule[]
  readonly plans: readonly PlanSnapshot[]
  /** Absent: there are none. */
  readonly guards?: readonly GuardRule[]
  readonly topUps: readonly LimitTopUp[]
  readonly prices: readonly PriceRow[]
  /** Peppers by version, base64. */
  readonly peppers: Readonly<Record<string, string>>
  readonly bounds: GatewayBounds
  /** Proxies whose word about the caller is believed, CIDR. */
  readonly trustedProxies: readonly string[]
  /** The field in which they give it; absent: `x-forwarded-for`. */
  readonly forwardedHeader?: ForwardedHeader
  readonly sandboxEnabled: boolean
  /** Prefix of documentation links in errors. */
  readonly documentationUrl: string
  /** Absent: no content is kept. */
  readonly contentLog?: ContentLogBounds
  /** Absent: no sink asks for events. */
  readonly events?: EventSettings
  /** Absent: nothing is traced. */
  readonly tracing?: TracingTerms
  /** Oldest first. Absent: nobody's tokens are taken. */
  readonly tokenIssuers?: readonly TokenIssuerSnapshot[]
  /** Absent: no organization has policies. */
  readonly policies?: readonly OrganizationPolicySnapshot[]
}

export interface KeySnapshot {
  readonly keyId: string
  readonly organizationId: string
  readonly applicationId: string
  readonly environment: KeyEnvironment
  readonly models: readonly string[] | null
  readonly operations: readonly string[] | null
  readonly cidrs: readonly string[]
  readonly expiresAt: number | null
  /** When its newest secret was made, Unix milliseconds. */
  readonly rotatedAt: number
  /** True: it is refused, and what it has under way ends. */
  readonly isQuarantined: boolean
  readonly secrets: readonly KeySecretSnapshot[]
}
export interface KeySecretSnapshot {
  readonly hash: string
  readonly pepperVersion: number
  readonly expiresAt: number | null
}

/** Messages from the control plane to every worker; `version` only grows. */
export type SnapshotMessage =
  | { readonly type: 'config'; readonly config: SnapshotConfig }
  | {
      readonly type: 'keys'
      readonly version: number
      /** True: the lists replace everything known before. */
      readonly reset: boolean
      readonly upsert: readonly KeySnapshot[]
      /** Key ids that no longer open anything: revoked, expired, deleted. Streams under way end. */
      readonly remove: readonly string[]
    }
  /** All keys that one issuer has now. */
  | { readonly type: 'token-keys'; readonly keys: IssuerKeys }
  | {
      readonly type: 'token-revocations'
      /** True: the list replaces everything known before. */
      readonly reset: boolean
      readonly add: readonly RevocationSnapshot[]
    }
