/** Targets on a board of their own, and time that stands still. */
import { type HealthBoard, openHealthBoard } from '../health-board.ts'
import { createHealthBook, type Instant, type TargetHealth } from '../target-health.ts'

export const start = Date.UTC(2026, 10, 1, 12)

export function healthOf(
  own: { board?: HealthBoard; deploymentId?: string; model?: string; credential?: string } = {},
): TargetHealth {
  const { board = openHealthBoard(), deploymentId = 'dep_a', model = 'm', credential = 'k1' } = own
  return createHealthBook(board).of({ deploymentId, model, credential, remembers: true })
}

/** So many milliseconds after `start`. */
export function at(ms: number): Instant {
  return { now: start + ms, monotonic: ms }
}
