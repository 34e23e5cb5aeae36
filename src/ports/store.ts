/**
 * Port: storage of the management plane, by noun, over the records of `domain/entities.ts`.
 *
 * Segmentation by construction: every read and write of a tenant-owned record takes the organization id, and a
 * record of another organization is as good as absent. The three readers that see all organizations
 * (`loadConfiguration`, `keysSince`, `tokenRevocationsSince`) exist for the data plane's snapshot and for the care of
 * keys (rotation, idle ones) alone; `findByKeyId` for who holds the secret of the key.
 *
 * Errors are Faults: `faults.conflict` (a unique name is taken), `faults.inUse` (something still refers to the
 * record), `faults.objectNotFound` (the record, or one it refers to, is absent), `faults.staleUpdate` (changed
 * since it was read), `faults.validation` (a cursor or limit out of bounds).
 *
 * Bounds: a page holds at most `pageLimit.max` records; a key holds at most `secretVersionLimit` secrets.
 */
import type {
  AccessPolicy,
  AdminToken,
  ApiKey,
  ApiKeySecret,
  ApiProduct,
  Application,
  Deployment,
  Guard,
  Limit,
  ModelRoute,
  Organization,
  Plan,
  SealedCredential,
  Subscription,
  TopUp,
} from '../domain/entities.ts'
import type { JsonValue } from '../domain/json.ts'
import type { TokenIssuer, TokenRevocation } from '../domain/token-issuer.ts'

/** Records per page. */
export const pageLimit = Object.freeze({ default: 100, max: 500 })
/** Stored secret versions per key, ended ones included. */
export const secretVersionLimit = 2
/** Revocations of tokens per organization that have not ended. */
export const revocationLimit = 10_000

export interface Page<T> {
  /** Oldest first; records created at the same millisecond by id. */
  readonly items: readonly T[]
  /** Cursor of the next page (opaque text), or null at the end. */
  readonly next: string | null
}

export interface PageQuery {
  /** 1 to `pageLimit.max`; default `pageLimit.default`. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** When an update happens and what it expects to find. */
export interface UpdateTerms {
  /** Unix milliseconds. The stored `updatedAt` becomes this, or one more than before, whichever is later. */
  readonly now: number
  /** Refuse with `faults.staleUpdate` unless the record still has this `updatedAt`. */
  readonly expectedUpdatedAt?: number
}

type Immutable = 'id' | 'organizationId' | 'createdAt' | 'updatedAt'

/** What `update` may change; fields left out stay. */
export type ApplicationPatch = Partial<Omit<Application, Immutable | 'slug'>>
export type OrganizationPatch = Partial<Omit<Organization, Immutable | 'slug'>>
export type ApiProductPatch = Partial<Omit<ApiProduct, Immutable | 'slug'>>
export type SubscriptionPatch = Partial<Omit<Subscription, Immutable | 'applicationId' | 'productId'>>
export type PlanPatch = Partial<Omit<Plan, Immutable | 'slug'>>
export type GuardPatch = Partial<Omit<Guard, Immutable | 'name' | 'detector'>>
export type LimitPatch = Partial<Omit<Limit, Immutable | 'name'>>
export type AccessPolicyPatch = Partial<Omit<AccessPolicy, Immutable | 'slug'>>
export type DeploymentPatch = Partial<Omit<Deployment, Immutable | 'slug'>>
export type ModelRoutePatch = Partial<Omit<ModelRoute, Immutable>>
export type TokenIssuerPatch = Partial<Omit<TokenIssuer, Immutable | 'name'>>
export type ApiKeyPatch = Partial<Omit<ApiKey, Immutable | 'applicationId' | 'keyId' | 'environment'>>
export type AdminTokenPatch = Partial<Omit<AdminToken, Immutable | 'tokenId' | 'hash' | 'pepperVersion'>>

/** A table of tenant-owned records. `Name` is the record's unique name within its organization. */
export interface TenantTable<T, Patch, Filter> {
  /** Stores a whole new record. Conflict when its id or name is taken; not found when it refers to nothing. */
  create(record: T): Promise<T>
  get(organizationId: string, id: string): Promise<T | null>
  /** By unique name: `slug`; route name or alias; public key id. */
  find(organizationId: string, name: string): Promise<T | null>
  list(organizationId: string, query?: Filter & PageQuery): Promise<Page<T>>
  /** Returns the record as stored. */
  update(organizationId: string, id: string, change: { patch: Patch } & UpdateTerms): Promise<T>
  /** Fault when absent or in use. */
  remove(organizationId: string, id: string): Promise<void>
}

export type NoFilter = Record<never, never>

export interface OrganizationTable {
  create(record: Organization): Promise<Organization>
  get(id: string): Promise<Organization | null>
  find(slug: string): Promise<Organization | null>
  list(query?: PageQuery): Promise<Page<Organization>>
  update(id: string, change: { patch: OrganizationPatch } & UpdateTerms): Promise<Organization>
  remove(id: string): Promise<void>
}

export type ApplicationTable = TenantTable<Application, ApplicationPatch, NoFilter>
export type ApiProductTable = TenantTable<
  ApiProduct,
  ApiProductPatch,
  { readonly state?: ApiProduct['state'] }
>
export type DeploymentTable = TenantTable<Deployment, DeploymentPatch, { readonly providerId?: string }>

export interface SubscriptionFilter {
  readonly applicationId?: string
  readonly productId?: string
  readonly state?: Subscription['state']
}
/** `find` takes `<applicationId>/<productId>`: an application subscribes to a product once. */
export type SubscriptionTable = TenantTable<Subscription, SubscriptionPatch, SubscriptionFilter>

export type PlanTable = TenantTable<Plan, PlanPatch, NoFilter>
export type GuardTable = TenantTable<Guard, GuardPatch, NoFilter>
export type LimitTable = TenantTable<Limit, LimitPatch, NoFilter>
export type AccessPolicyTable = TenantTable<AccessPolicy, AccessPolicyPatch, NoFilter>
/** A top-up goes with the limit or plan that it raises. It never changes. */
export type TopUpTable = Omit<TenantTable<TopUp, never, { readonly limitId?: string }>, 'update'>

/** Names and aliases share one name space per organization. Targets must name existing deployments by slug. */
export type ModelRouteTable = TenantTable<ModelRoute, ModelRoutePatch, NoFilter>

/**
 * Tokens find their issuer by what they carry, not by an organization: no two issuers of an installation may claim
 * the same `iss` with the same audience, nor the same prefix of opaque tokens (`faults.conflict`).
 */
export type TokenIssuerTable = TenantTable<TokenIssuer, TokenIssuerPatch, NoFilter>

/** Go with their issuer. Bound: `revocationLimit` that have not ended per organization (`faults.validation`). */
export interface TokenRevocationTable {
  /** Drops what had ended by `record.createdAt`. */
  create(record: TokenRevocation): Promise<TokenRevocation>
  list(
    organizationId: string,
    query?: { readonly issuerId?: string } & PageQuery,
  ): Promise<Page<TokenRevocation>>
}

export interface ApiKeyFilter {
  readonly applicationId?: string
  readonly state?: ApiKey['state']
}
export interface KeyUse {
  readonly keyId: string
  /** Unix milliseconds. */
  readonly at: number
}
export interface ApiKeyTable extends Omit<TenantTable<ApiKey, ApiKeyPatch, ApiKeyFilter>, 'create'> {
  create(key: ApiKey, secrets: readonly ApiKeySecret[]): Promise<ApiKey>
  /** Newest version first. */
  secrets(organizationId: string, id: string): Promise<readonly ApiKeySecret[]>
  /** Replaces the key's secrets, at most `secretVersionLimit`; for rotation (`planRotation` computes the list). */
  setSecrets(
    organizationId: string,
    id: string,
    change: { readonly secrets: readonly ApiKeySecret[] } & UpdateTerms,
  ): Promise<ApiKey>
  /** With its secrets, by the public id alone: for who proves a secret of it, whose organization is not known yet. */
  findByKeyId(keyId: string): Promise<StoredKey | null>
  /**
   * True for exactly one caller for each `notice` in a row: who is to tell the owner. Changes neither `updatedAt` nor
   * the version.
   */
  takeNotice(keyId: string, notice: string): Promise<boolean>
  /** Moves `lastUsedAt` forward for keys of any organization; changes neither `updatedAt` nor the version. */
  recordUse(uses: readonly KeyUse[]): Promise<void>
}

/** `organizationId` null: the caller acts for all organizations. */
export interface AdminTokenTable {
  create(record: AdminToken): Promise<AdminToken>
  get(organizationId: string | null, id: string): Promise<AdminToken | null>
  /** By the public part of the token text, for authentication. */
  findByTokenId(tokenId: string): Promise<AdminToken | null>
  list(organizationId: string | null, query?: PageQuery): Promise<Page<AdminToken>>
  update(
    organizationId: string | null,
    id: string,
    change: { patch: AdminTokenPatch } & UpdateTerms,
  ): Promise<AdminToken>
  remove(organizationId: string | null, id: string): Promise<void>
  recordUse(tokenId: string, at: number): Promise<void>
  /** Tokens neither revoked nor expired at `now`. */
  countLive(now: number): Promise<number>
}

/** Sealed text only: the store never sees a secret. */
export interface CredentialTable {
  create(record: SealedCredential): Promise<SealedCredential>
  get(organizationId: string, id: string): Promise<SealedCredential | null>
  list(organizationId: string, query?: PageQuery): Promise<Page<SealedCredential>>
  /** Replaces the sealed text (rotation, rewrap). */
  setSealed(organizationId: string, id: string, sealed: string): Promise<void>
  remove(organizationId: string, id: string): Promise<void>
}

/** Settings of the installation, by name. Not for secrets in clear. */
export interface SettingTable {
  get(name: string): Promise<JsonValue | null>
  set(name: string, value: JsonValue): Promise<void>
  /** Sets what snapshots carry: a change of configuration, which every node sees. */
  publish(name: string, value: JsonValue): Promise<void>
  remove(name: string): Promise<void>
}

export interface SetupLink {
  readonly id: string
  /** Hash of the link's token; the token itself is never stored. */
  readonly hash: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly usedAt: number | null
}
export interface SetupLinkTable {
  /** Also drops every earlier link: one is open at a time. */
  create(record: SetupLink): Promise<void>
  /** True for exactly one caller: marks the unused, unexpired link of this hash as used. */
  consume(hash: string, now: number): Promise<boolean>
}

export interface IdempotencyClaim {
  /** Who sent the key (token id), so that callers cannot see each other's replies. */
  readonly scope: string
  readonly key: string
  /** Hash of the request; another request under the same key is a mismatch. */
  readonly fingerprint: string
  readonly now: number
  /** End of a claim that neither completes nor abandons. */
  readonly expiresAt: number
}
export interface IdempotentReply {
  readonly status: number
  readonly body: JsonValue
}
export type IdempotencyOutcome =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'running' }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'done'; readonly reply: IdempotentReply }
export interface IdempotencyTable {
  /** Atomic: `claimed` for exactly one caller until it completes, abandons or expires. */
  claim(claim: IdempotencyClaim): Promise<IdempotencyOutcome>
  /** Answered: the record lives until `expiresAt` from now on. */
  complete(
    scope: string,
    key: string,
    answered: { readonly reply: IdempotentReply; readonly expiresAt: number },
  ): Promise<void>
  /** The request failed in a way that may be tried again. */
  abandon(scope: string, key: string): Promise<void>
  /** Removes expired records; returns how many. */
  sweep(now: number): Promise<number>
}

export interface StoredKey {
  readonly key: ApiKey
  readonly secrets: readonly ApiKeySecret[]
}

/** Everything but keys that a snapshot is made of, read at one instant. */
export interface ConfigurationRecords {
  readonly version: number
  readonly organizations: readonly Organization[]
  readonly applications: readonly Application[]
  readonly products: readonly ApiProduct[]
  readonly subscriptions: readonly Subscription[]
  readonly plans: readonly Plan[]
  readonly limits: readonly Limit[]
  readonly guards: readonly Guard[]
  readonly topUps: readonly TopUp[]
  readonly policies: readonly AccessPolicy[]
  readonly deployments: readonly Deployment[]
  readonly routes: readonly ModelRoute[]
  readonly credentials: readonly SealedCredential[]
  readonly tokenIssuers: readonly TokenIssuer[]
}

export interface KeyChanges {
  /** Pass it to the next `keysSince`. */
  readonly version: number
  /** True: call again at once with `version`. */
  readonly more: boolean
  readonly upsert: readonly StoredKey[]
  /** Public key ids that were deleted. Revoked keys come as `upsert` with their state. */
  readonly remove: readonly string[]
}

export interface StoreVersions {
  /** Version of the last change that the data plane must see. Grows with every such change, never repeats. */
  readonly current: number
  /** Version of the last change to anything but keys. */
  readonly configuration: number
}

/** The tables; the same inside and outside a transaction. */
export interface StoreTables {
  readonly organizations: OrganizationTable
  readonly applications: ApplicationTable
  readonly products: ApiProductTable
  readonly subscriptions: SubscriptionTable
  readonly plans: PlanTable
  readonly limits: LimitTable
  readonly guards: GuardTable
  readonly topUps: TopUpTable
  readonly policies: AccessPolicyTable
  readonly deployments: DeploymentTable
  readonly routes: ModelRouteTable
  readonly credentials: CredentialTable
  readonly keys: ApiKeyTable
  readonly tokenIssuers: TokenIssuerTable
  readonly tokenRevocations: TokenRevocationTable
  readonly adminTokens: AdminTokenTable
  readonly settings: SettingTable
  readonly setupLinks: SetupLinkTable
  readonly idempotency: IdempotencyTable
}

export interface Store extends StoreTables {
  /** All or nothing. Within `work` use only the tables handed in: using the store itself there is refused. */
  transaction<T>(work: (tables: StoreTables) => Promise<T>): Promise<T>
  versions(): Promise<StoreVersions>
  loadConfiguration(): Promise<ConfigurationRecords>
  /** Keys changed after `version` (0: all), at most `pageLimit.max` changes, in order of change. */
  keysSince(version: number): Promise<KeyChanges>
  /** Revocations of tokens after `version` (0: all), of all organizations, in order of change. */
  tokenRevocationsSince(version: number): Promise<readonly TokenRevocation[]>
  /** Called after each commit of this process that moved the version. Returns the way to stop it. */
  subscribe(listener: (version: number) => void): () => void
  close(): Promise<void>
}
