/**
 * Active health checks, where a route asks for them: each deployment of the route is called regularly, by one place
 * of each node, and what comes of it stands on the health board for all workers. A check speaks of the deployment as
 * a whole: whether a model of it works is left to the circuit breaker.
 * Bounds: one timer per deployment that is checked, 8 calls at once; a check that finds no room waits for its next turn.
 */
import type { DeploymentSnapshot, SnapshotConfig } from '../domain/snapshot.ts'
import { completeRoutePolicy, type RouteTerms } from './route-terms.ts'
import type { Standing } from './standing.ts'
import { type HealthBook, targetName } from './target-health.ts'

export type CheckTerms = NonNullable<RouteTerms['healthCheck']>
export type CheckOutcome = 'good' | 'credential-refused' | 'failed'

export interface HealthCheckParts {
  readonly book: HealthBook
  /** One call. Never rejects. */
  readonly check: (deployment: DeploymentSnapshot, terms: CheckTerms) => Promise<CheckOutcome>
  readonly now: () => number
  /** Runs `step` after `delayMs`; returns how to cancel it. */
  readonly after: (delayMs: number, step: () => void) => () => void
}

export interface HealthChecks {
  /** From now on check what `config` asks for. */
  apply(config: SnapshotConfig): void
  stop(): void
}

const mostAtOnce = 8
/** One failure may be chance. */
const failuresUntilOut = 2
const retirement = { firstMs: 60_000, maxMs: 900_000 }

interface Watch {
  readonly deployment: DeploymentSnapshot
  readonly terms: CheckTerms
  readonly standing: Standing
  failures: number
  cancel: () => void
}

export function createHealthChecks({ book, check, now, after }: HealthCheckParts): HealthChecks {
  let watches = new Map<string, Watch>()
  let underWay = 0

  function schedule(watch: Watch): void {
    watch.cancel = after(watch.terms.intervalMs, () => {
      schedule(watch)
      if (underWay >= mostAtOnce) return
      underWay += 1
      void check(watch.deployment, watch.terms).then((outcome) => {
        underWay -= 1
        note(watch, outcome)
      })
    })
  }

  function note(watch: Watch, outcome: CheckOutcome): void {
    const { standing, terms } = watch
    if (outcome === 'good') {
      watch.failures = 0
      if (!standing.isClear) standing.clear()
      return
    }
    if (outcome === 'credential-refused') {
      standing.leaveOut('retired', retirement, now())
      return
    }
    watch.failures += 1
    if (watch.failures < failuresUntilOut) return
    // Should the checks end, an exchange tries it after two that are missing.
    const pauseMs = 3 * terms.intervalMs
    standing.leaveOut('unhealthy', { firstMs: pauseMs, maxMs: pauseMs }, now())
  }

  return {
    apply(config) {
      const before = watches
      watches = new Map()
      for (const [deployment, terms] of checkedDeployments(config)) {
        const key = JSON.stringify([deployment, terms])
        let watch = before.get(key)
        if (watch === undefined) {
          const standing = book.of(targetName(deployment, '')).deployment
          watch = { deployment, terms, standing, failures: 0, cancel() {} }
          schedule(watch)
        }
        before.delete(key)
        watches.set(key, watch)
      }
      for (const gone of before.values()) gone.cancel()
    },
    stop() {
      for (const watch of watches.values()) watch.cancel()
      watches.clear()
    },
  }
}

/** Where several routes have a deployment checked, the one that asks most often has its way. */
function checkedDeployments(config: SnapshotConfig): Map<DeploymentSnapshot, CheckTerms> {
  const byId = new Map(config.deployments.map((each) => [each.id, each]))
  const checked = new Map<DeploymentSnapshot, CheckTerms>()
  for (const route of config.routes) {
    const terms = completeRoutePolicy(route.policy).healthCheck
    if (terms === null) continue
    for (const target of route.targets) {
      const deployment = byId.get(target.deployment)
      if (deployment === undefined) continue
      const known = checked.get(deployment)
      if (known === undefined || terms.intervalMs < known.intervalMs) checked.set(deployment, terms)
    }
  }
  return checked
}
