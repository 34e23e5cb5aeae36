/** What a pipeline stage is. */
import type { TrafficClass } from '../domain/operations.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'

/** Traffic classes of operations, and H for health. */
export type PipelineClass = TrafficClass | 'H'

/** `next`: go on. `wait`: the stage calls `exchange.proceed()`, `fail` or `finish` later. */
export type StageOutcome = 'next' | 'wait'
export type Stage = (exchange: Exchange, ctx: GatewayContext) => StageOutcome

/** What a configuration may leave out. */
export type OptionalPart =
  | 'content-log'
  | 'address-limits'
  | 'limits'
  | 'shedding'
  | 'response-cache'
  | 'held-answers'
  | 'tracing'
  | 'guards'
  | 'policies'

export interface StageRow {
  readonly name: string
  readonly run: Stage
  /** One letter per class that the stage serves. */
  readonly classes: string
  /** What a throw means: the exchange ends with the fault, or the stage is skipped. */
  readonly onError: 'deny' | 'allow'
  readonly phase: 'request' | 'finish'
  /** Compiled only where the configuration asks for it; null: always. */
  readonly only: OptionalPart | null
  /** A clock is read where it begins; short stages count to the one before. */
  readonly timed: boolean
  /** One sentence for the reference. */
  readonly does: string
}
