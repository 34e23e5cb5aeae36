/** How loaded one worker of the data plane is, and what it does about it. */
import type { PriorityClass } from './limits.ts'

export interface WorkerLoad {
  /** Number of the worker on this node. */
  readonly worker: number
  /** Exchanges under way. */
  readonly underWay: number
  /** Running mean, milliseconds. */
  readonly loopDelayMs: number
  /** Resident memory of the process. */
  readonly memoryBytes: number
  /** Exchanges turned away for load since the worker began, by class. */
  readonly shed: Readonly<Record<PriorityClass, number>>
  /** Exchanges that wait for a limit now, and since the worker began: */
  readonly waiting: number
  readonly entered: number
  readonly served: number
  /** refused because the queue was full, */
  readonly full: number
  /** or after they had waited as long as their plan allows. */
  readonly overdue: number
}
