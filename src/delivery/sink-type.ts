/** What a kind of receiver is: one row of the registry in `compose/sink-types.ts`, one section of `config/sinks-form.ts`. */
import type { EgressGuard } from '../ports/egress.ts'
import type { EventSink } from '../ports/event-sink.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'

/** What a sink may use of the product. */
export interface SinkTools {
  /** As configured; unique. */
  readonly name: string
  /** Longest time for a batch to be taken, milliseconds. */
  readonly timeoutMs: number
  /** Makes calls through the egress guard. */
  readonly client: UpstreamClient
  /** For receivers that speak no HTTP. */
  readonly egress: EgressGuard
  /** The secret that a reference (`env:NAME`, `file:/path`) stands for; null: there is none. */
  readonly readReference: (reference: string) => string | null
  /** Unix milliseconds. */
  readonly now: () => number
  /** Directory that relative paths of the configuration start from. */
  readonly directory: string
}

export interface SinkType<Settings> {
  /** Under which name its settings stand in an entry of `sinks`. */
  readonly type: string
  /** Opens nothing that can fail: what does not answer yet is an outcome of the first delivery. */
  open(settings: Settings, tools: SinkTools): EventSink
}
