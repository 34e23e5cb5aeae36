/** The state of a route's targets, for the admin API. Read from the health board: no worker is asked. */
import type { RouteSnapshot, SnapshotConfig } from '../domain/snapshot.ts'
import type { Trouble } from './health-board.ts'
import { type HealthBook, targetName } from './target-health.ts'

export interface TargetState {
  readonly deploymentId: string
  readonly model: string | null
  /** `none`: in use. */
  readonly trouble: Trouble
  /** Milliseconds until it may be tried again; 0: now. */
  readonly waitMs: number
  /** How often it, or its deployment, went out of use since the process started. */
  readonly outages: number
}

/** Every target of a route whose deployment is in service. */
export function describeHealth(
  route: RouteSnapshot,
  { config, book, now }: { readonly config: SnapshotConfig; readonly book: HealthBook; readonly now: number },
): TargetState[] {
  const byId = new Map(config.deployments.map((each) => [each.id, each]))
  const states: TargetState[] = []
  for (const { deployment: id, model } of route.targets) {
    const deployment = byId.get(id)
    if (deployment === undefined) continue
    const health = book.of(targetName(deployment, model ?? route.name))
    const { standing, deployment: whole, trouble } = health
    states.push({
      deploymentId: id,
      model,
      trouble,
      waitMs: health.waitMs(now),
      outages: standing.count + whole.count,
    })
  }
  return states
}
