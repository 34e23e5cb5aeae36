/**
 * Port: storage of usage by minute, hour and day (UTC). The cursor of the event log is stored in the same transaction
 * as the sums of all three that it stands for, so each record counts exactly once in each of them across crashes.
 */

/** Lengths of time that sums are kept by, finest first. */
export const usageResolutions = ['minute', 'hour', 'day'] as const
export type UsageResolution = (typeof usageResolutions)[number]

export const usageResolutionMs: Readonly<Record<UsageResolution, number>> = Object.freeze({
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
})

/** What sums are kept by. `statusClass` is the first digit of the HTTP status: 2, 4, 5; 0 where none was sent. */
export interface UsageDimensions {
  readonly organizationId: string
  readonly applicationId: string
  readonly keyId: string
  readonly operation: string
  readonly model: string
  readonly servedModel: string
  readonly providerId: string
  readonly deploymentId: string
  /** API product whose subscription let the request in; empty: it was refused before, or is older than this. */
  readonly productId: string
  readonly statusClass: number
}
export const usageDimensionFields = [
  'organizationId',
  'applicationId',
  'keyId',
  'operation',
  'model',
  'servedModel',
  'providerId',
  'deploymentId',
  'productId',
  'statusClass',
] as const satisfies readonly (keyof UsageDimensions)[]

/** All are sums over requests. `durationMs` in milliseconds, `costMicroUsd` in 1e-6 US dollars. */
export interface UsageSums {
  readonly requests: number
  /** Requests whose outcome was not `completed`. */
  readonly errors: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly reasoningTokens: number
  /** Requests whose tokens were estimated. */
  readonly estimated: number
  /** Requests without a known price; their cost is not in `costMicroUsd`. */
  readonly unpriced: number
  readonly costMicroUsd: number
  readonly durationMs: number
}
export const usageSumFields = [
  'requests',
  'errors',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'estimated',
  'unpriced',
  'costMicroUsd',
  'durationMs',
] as const satisfies readonly (keyof UsageSums)[]

/** Upper bounds of the latency histogram, milliseconds, inclusive; one more bucket holds what is above. */
export const latencyBoundsMs = Object.freeze([
  25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
] as const)

export interface UsageRollup {
  /** Start of the minute, Unix milliseconds. */
  readonly minute: number
  readonly dimensions: UsageDimensions
  readonly sums: UsageSums
  /** Requests by duration, `latencyBoundsMs.length + 1` counts. */
  readonly latency: readonly number[]
}

export interface UsageQuery {
  /** Null: all organizations (an operator of the installation). */
  readonly organizationId: string | null
  /** Unix milliseconds, inclusive; rounded down to the minute. */
  readonly from: number
  /** Unix milliseconds, exclusive; rounded up to the minute. */
  readonly to: number
  readonly groupBy: readonly (keyof UsageDimensions)[]
  readonly filter: Readonly<Partial<UsageDimensions>>
  /** Only these groups, each by the dimensions of `groupBy`; absent: all. */
  readonly groups?: readonly UsageGroup[]
  /** Milliseconds, a multiple of 60,000: one row per interval and group. Null: one row per group. */
  readonly intervalMs: number | null
  /**
   * Which sums answer: `auto` takes the coarsest that answer exactly. Another one is read alone, and the time is
   * widened to whole ones of it; the interval must be a multiple of it.
   */
  readonly resolution: UsageResolution | 'auto'
  /** 1 to `usageRowLimit`. */
  readonly limit: number
}
export const usageRowLimit = 10_000

/** The dimensions that a question groups by. */
export type UsageGroup = Readonly<Partial<UsageDimensions>>

export interface UsageRow {
  /** Start of the interval, or `from` where there is none. */
  readonly time: number
  readonly group: UsageGroup
  readonly sums: UsageSums
  readonly latency: readonly number[]
}
export interface UsageResult {
  /**
   * The time that is summed up: as asked, widened to whole minutes; to whole hours or days where the finer sums of an
   * edge are no longer kept.
   */
  readonly from: number
  readonly to: number
  /** Which sums were read, finest first. */
  readonly resolutions: readonly UsageResolution[]
  /** By time, then most requests first. */
  readonly rows: readonly UsageRow[]
  /** True: there were more than `limit`. */
  readonly truncated: boolean
}

export interface UsagePruneOrder {
  readonly resolution: UsageResolution
  /** Unix milliseconds. */
  readonly before: number
  readonly limit: number
}

export interface UsageStore {
  readCursor(name: string): Promise<string | null>
  /** Adds the sums and moves the cursor, all or nothing. Refuses unless the cursor still is `expected`. */
  apply(batch: {
    readonly cursorName: string
    readonly expected: string | null
    readonly cursor: string
    readonly rollups: readonly UsageRollup[]
  }): Promise<void>
  query(query: UsageQuery): Promise<UsageResult>
  /**
   * Removes up to `limit` sums of one resolution older than the last UTC midnight at or before `before`; returns how
   * many, so that the caller can go on in slices. Questions know from the first slice on that they are gone.
   */
  prune(order: UsagePruneOrder): Promise<number>
}
