/**
 * Port: a receiver of events (a search cluster, a syslog server, a webhook, a file …). Delivery is at least once: the
 * engine gives the same events again until the sink says what became of each; receivers drop repeats by `event.id`.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'

/** What became of a batch. Events in neither list were taken. */
export interface DeliveryOutcome {
  /** Places in the batch to send again later. */
  readonly retry: readonly number[]
  /** Places that the receiver will never take, with the reason; no secret and no content stands in it. */
  readonly rejected: readonly { readonly at: number; readonly reason: string }[]
  /** The receiver asked for a pause of at least so many milliseconds; null: it did not. */
  readonly retryAfterMs: number | null
  /** The batch was too large: halve it and try again. */
  readonly tooLarge: boolean
  /** Why events are to be sent again, for operators; empty: nothing is. */
  readonly problem: string
}

export interface EventSink {
  /** As configured; unique. */
  readonly name: string
  /** Never rejects: a failure is an outcome. `signal` ends a call that takes too long. */
  deliver(batch: readonly OversightEvent[], signal: AbortSignal): Promise<DeliveryOutcome>
  close(): Promise<void>
}
