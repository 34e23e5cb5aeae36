/** Which targets of a route may be tried now, and why when none may. */
import type { RouteTerms } from './route-terms.ts'
import type { TargetHealth } from './target-health.ts'

interface WithHealth {
  readonly health: TargetHealth
}

/** Leave out what is out of use or full. The list itself where all may be tried. */
export function usableTargets<T extends WithHealth>(
  targets: readonly T[],
  terms: RouteTerms,
  now: number,
): readonly T[] {
  const isUsable = ({ health }: T): boolean =>
    (health.isClear || health.waitMs(now) === 0) && !health.isFull(terms)
  return targets.every(isUsable) ? targets : targets.filter(isUsable)
}

/** Why no target may be tried: what holds for all, or for the one that will be back first. */
export interface Blockage {
  readonly reason: 'credentials' | 'rate-limit' | 'saturated' | 'out-of-use'
  readonly waitMs: number
}

export function describeBlockage(targets: readonly WithHealth[], terms: RouteTerms, now: number): Blockage {
  let waitMs = Number.POSITIVE_INFINITY
  let reason: Blockage['reason'] = 'out-of-use'
  for (const { health } of targets) {
    const wait = health.waitMs(now)
    if (wait >= waitMs) continue
    waitMs = wait
    reason = reasonOf(health, terms)
  }
  if (targets.length > 0 && targets.every(({ health }) => health.trouble === 'retired'))
    reason = 'credentials'
  return { reason, waitMs: Number.isFinite(waitMs) ? waitMs : 0 }
}

function reasonOf(health: TargetHealth, terms: RouteTerms): Blockage['reason'] {
  if (health.trouble === 'cooling') return 'rate-limit'
  return health.isClear && health.isFull(terms) ? 'saturated' : 'out-of-use'
}
