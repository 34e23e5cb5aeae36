/**
 * Limits: how much may be used, by whom, in which time. Rules are compiled with the snapshot; a limiter takes from
 * their counters before an exchange (reserve), while it streams (progress) and after it (settle), on all or none.
 *
 *   admit ──▶ counters of this node ──▶ allowed, or refused
 *                └─ lease used up ──▶ lease desk ──▶ central counters ──▶ again
 */
export { createBudgetReader } from './budget-standings.ts'
export { type CompiledLimits, compileLimits } from './compile-limits.ts'
export {
  explainLimits,
  type LimitCounter,
  type LimitExplanation,
  limitCountersOf,
  readNodeStanding,
} from './explain-limits.ts'
export { createLeaseKeeper } from './lease-keeper.ts'
export type { BudgetRoom, LimitActual, LimitRequest } from './limit-request.ts'
export { createLimiter } from './limiter.ts'
export { isHardOnOutput } from './meters.ts'
export {
  createFairQueue,
  type FairQueue,
  type LaneClaim,
  type QueueFigures,
  type QueueGuest,
  type TryOutcome,
} from './queue/fair-queue.ts'
export type { LimitStanding } from './standing.ts'
export type { Limiter, LimitRefusal, LimitVerdict, Reservation } from './verdict.ts'
