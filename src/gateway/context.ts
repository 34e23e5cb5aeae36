/** What one worker's pipeline works with; made once per worker. */
import type { ContentRecord } from '../domain/content.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { EventClass } from '../domain/snapshot.ts'
import type { UsageRecord } from '../domain/usage.ts'
import type { VerdictCache } from '../inspection/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { FairQueue, Limiter } from '../limits/index.ts'
import type { IdempotencyBook } from '../ports/idempotency.ts'
import type { ResponseCache } from '../ports/response-cache.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'
import type { TraceIds, TraceRecord } from '../tracing/index.ts'
import type { BodyBudget } from './body-budget.ts'
import type { ExchangeMetrics } from './exchange-metrics.ts'
import type { KeyTable } from './key-table.ts'
import type { LargeBodyReader } from './large-body.ts'
import type { OutputExpectations } from './limits/output-expectations.ts'
import type { LoadGauge } from './load-gauge.ts'
import type { TokenDoor } from './tokens/token-door.ts'
import type { WrongKeys } from './wrong-keys.ts'

/** Internal notes about an exchange for the process log; never content, never secrets. */
export interface GatewayNote {
  readonly level: 'warn' | 'error'
  readonly requestId: string
  readonly code: string
  readonly internal: string
}

export interface GatewayContext {
  readonly keys: KeyTable
  readonly wrongKeys: WrongKeys
  readonly tokens: TokenDoor
  readonly bodies: BodyBudget
  /** Looks at bodies that are too large for this thread. */
  readonly largeBodies: LargeBodyReader
  /** Chooses by origin: the in-process sandbox or the network. */
  readonly upstream: UpstreamClient
  readonly idempotency: IdempotencyBook
  /** Asked only on routes that keep answers. */
  readonly responses: ResponseCache
  readonly limiter: Limiter
  /** Where exchanges wait that a rule neither admits nor refuses. */
  readonly queue: FairQueue
  readonly outputs: OutputExpectations
  readonly load: LoadGauge
  /** Asked only where guards hold. */
  readonly verdicts: VerdictCache
  readonly metrics: ExchangeMetrics
  readonly clock: Clock
  readonly timers: TimerWheel
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** `stored` is called once the record is on disk. */
  readonly recordUsage: (record: UsageRecord, eventClass: EventClass, stored?: () => void) => void
  /** Called only where a sink asks for events. */
  readonly recordRefusal: (refusal: Omit<Refusal, 'count'>) => void
  /** Called only where content logging is on. */
  readonly logContent: (record: ContentRecord) => void
  readonly traceIds: TraceIds
  /** Called only where tracing is on. */
  readonly recordTrace: (record: TraceRecord) => void
  readonly note: (note: GatewayNote) => void
  /** False while the worker has no configuration, or drains. */
  readonly isReady: () => boolean
}
