/**
 * How a model route chooses among its targets and what it does when one fails. All of it may be left out: what stands
 * here is only what an administrator wrote; `routing/` completes it with defaults.
 */

export const routeStrategies = ['weighted', 'least-busy', 'latency', 'cost-first'] as const
/**
 * Within one priority. `weighted` draws by weight · `least-busy` fewest exchanges under way per weight · `latency`
 * the quicker of two drawn by weight (peak EWMA of the time to the first token) · `cost-first` the cheapest price.
 */
export type RouteStrategy = (typeof routeStrategies)[number]

/** A share of the exchanges goes to one target, the others to it only when all else fails. */
export interface RouteCanary {
  /** Slug of a deployment among the targets. */
  readonly deployment: string
  /** Model at the provider, where the deployment stands among the targets more than once; null: any. */
  readonly model?: string | null
  /** 0 to 100. */
  readonly percent: number
}

/** Rounds over the targets after the first one, and how they are kept from pressing on what is failing. */
export interface RouteRetry {
  /** Further rounds; 0: each target is tried once. */
  readonly rounds?: number
  /** Retries, as a share of the route's recent exchanges. */
  readonly budgetPercent?: number
  /** Full jitter: a random wait up to this, doubled with each round. */
  readonly backoffMs?: number
  readonly maxBackoffMs?: number
  /** Longest time that a provider's `Retry-After` keeps a deployment out of use. */
  readonly maxCooldownMs?: number
}

/** A target is left out once so many calls of a window failed, and tried by one exchange at a time afterwards. */
export interface RouteBreaker {
  readonly failures?: number
  readonly failurePercent?: number
  readonly windowMs?: number
  /** Doubled each time that the trial fails, too. */
  readonly openMs?: number
  readonly maxOpenMs?: number
}

/** A second call when the first is slower than 95 of 100 calls; whichever answers first is taken. */
export interface RouteHedge {
  /** Estimated price above which no second call is made; nor where the price is not known. Micro US dollars. */
  readonly maxCostMicroUsd: number
  /** Second calls, as a share of the route's recent exchanges. */
  readonly maxPercent?: number
  /** Least wait before the second call. */
  readonly minDelayMs?: number
}

/** Bounds of a limit that follows the time to the first token. Per worker. */
export interface RouteConcurrency {
  readonly min?: number
  readonly max?: number
  /** How long an exchange may wait for room; 0: it is refused at once. */
  readonly maxWaitMs?: number
}

/** Asked by one place of each node, besides what the callers' exchanges show. */
export interface RouteHealthCheck {
  readonly intervalMs?: number
  readonly timeoutMs?: number
  /** Path at the provider that is fetched; left out: its list of models. */
  readonly path?: string
}

/** Answers that are given again to requests that are the same, byte for byte, within one application. */
export interface RouteCache {
  /** How long an answer is given again. */
  readonly ttlMs: number
  /** Larger answers are not kept. */
  readonly maxEntryBytes?: number
}

export interface RoutePolicy {
  readonly strategy?: RouteStrategy
  readonly canary?: RouteCanary | null
  /** Keep a conversation at one deployment, where the provider has its prompt in a cache. */
  readonly sticky?: boolean
  /** Regions (or patterns with a trailing `*`) that a request may go to; a deployment without region is none. */
  readonly residency?: readonly string[]
  readonly retry?: RouteRetry
  /** Null: never left out. */
  readonly breaker?: RouteBreaker | null
  readonly hedge?: RouteHedge | null
  /** Longest wait from the head of a stream to its first content, before the next target is asked; null: as long as it takes. */
  readonly firstContentMs?: number | null
  readonly concurrency?: RouteConcurrency | null
  readonly healthCheck?: RouteHealthCheck | null
  /** Null: every request is answered by a deployment. */
  readonly cache?: RouteCache | null
}
