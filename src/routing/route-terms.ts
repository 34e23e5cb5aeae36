/** A route's policy with nothing left out: what the administrator wrote before the defaults. */
import type { RouteCanary, RoutePolicy, RouteStrategy } from '../domain/routing.ts'

export interface RouteTerms {
  readonly strategy: RouteStrategy
  readonly canary: Required<RouteCanary> | null
  readonly sticky: boolean
  readonly residency: readonly string[]
  readonly retry: Required<NonNullable<RoutePolicy['retry']>>
  readonly breaker: Required<NonNullable<RoutePolicy['breaker']>> | null
  readonly hedge: Required<NonNullable<RoutePolicy['hedge']>> | null
  readonly firstContentMs: number | null
  readonly concurrency: Required<NonNullable<RoutePolicy['concurrency']>> | null
  readonly healthCheck: {
    readonly intervalMs: number
    readonly timeoutMs: number
    readonly path: string | null
  } | null
  readonly cache: Required<NonNullable<RoutePolicy['cache']>> | null
}

const retry = { rounds: 0, budgetPercent: 20, backoffMs: 250, maxBackoffMs: 8000, maxCooldownMs: 60_000 }
const breaker = { failures: 5, failurePercent: 50, windowMs: 10_000, openMs: 5000, maxOpenMs: 60_000 }

export const defaultRouteTerms: RouteTerms = Object.freeze({
  strategy: 'weighted',
  canary: null,
  sticky: false,
  residency: Object.freeze([]),
  retry: Object.freeze(retry),
  breaker: Object.freeze(breaker),
  hedge: null,
  firstContentMs: null,
  concurrency: null,
  healthCheck: null,
  cache: null,
})

/** Complete `policy`. */
export function completeRoutePolicy(policy: RoutePolicy | undefined): RouteTerms {
  if (policy === undefined || Object.keys(policy).length === 0) return defaultRouteTerms
  const { canary, hedge, concurrency, healthCheck, cache } = policy
  return Object.freeze({
    strategy: policy.strategy ?? 'weighted',
    canary: canary == null ? null : { model: null, ...canary },
    sticky: policy.sticky ?? false,
    residency: policy.residency ?? [],
    retry: { ...retry, ...policy.retry },
    breaker: policy.breaker === null ? null : { ...breaker, ...policy.breaker },
    hedge: hedge == null ? null : { maxPercent: 5, minDelayMs: 100, ...hedge },
    firstContentMs: policy.firstContentMs ?? null,
    concurrency: concurrency == null ? null : { min: 1, max: 1000, maxWaitMs: 0, ...concurrency },
    healthCheck:
      healthCheck == null ? null : { intervalMs: 30_000, timeoutMs: 10_000, path: null, ...healthCheck },
    cache: cache == null ? null : { maxEntryBytes: 262_144, ...cache },
  })
}
