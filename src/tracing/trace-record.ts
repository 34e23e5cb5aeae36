/**
 * One traced exchange on its way from a worker to the control plane: figures and names, flat and short. Spans are made
 * of it there. It has no field for content, secrets, users or addresses of callers.
 */
import type { TokenUsage } from '../domain/usage.ts'

/** One call of a provider. Times are milliseconds after the exchange began; null: it did not come to that. */
export interface TracedCall {
  readonly spanId: string
  readonly start: number
  readonly end: number
  readonly firstChunk: number | null
  readonly provider: string
  readonly deployment: string
  readonly host: string
  readonly port: number
  /** Model name at the provider. */
  readonly model: string
  /** Model that the provider says has answered; empty: not known. */
  readonly responseModel: string
  /** Of a fixed list; empty: not known. */
  readonly finishReason: string
  /** HTTP status of the provider; 0: none came. */
  readonly status: number
  /** `ok`, `abandoned`, or the name of a class of failures. */
  readonly outcome: string
  /** Its answer is the one that the caller got. */
  readonly answered: boolean
}

export interface TraceRecord {
  readonly traceId: string
  readonly spanId: string
  /** Empty: it begins the trace. */
  readonly parentSpanId: string
  readonly state: string
  /** Request id. */
  readonly requestId: string
  /** Unix milliseconds. */
  readonly time: number
  readonly durationMs: number
  readonly method: string
  /** Path with placeholders, of a fixed list. */
  readonly route: string
  readonly scheme: 'http' | 'https'
  readonly httpVersion: string
  readonly operation: string
  /** Name of the model route; empty: none. */
  readonly model: string
  /** The same as a label of metrics. */
  readonly modelLabel: string
  readonly status: number
  readonly fault: string
  readonly outcome: 'completed' | 'failed' | 'refused' | 'disconnected'
  readonly streamed: boolean
  readonly firstByteMs: number | null
  readonly organizationId: string
  readonly applicationId: string
  readonly keyId: string
  readonly cacheStatus: string
  readonly requestBytes: number
  readonly responseBytes: number
  /** Null: no provider was reached. */
  readonly usage: TokenUsage | null
  readonly costMicroUsd: number | null
  /** Id under which the content log has the content; empty: it has none, or is not to be named. */
  readonly contentReference: string
  /** Stages as they began. */
  readonly stages: readonly (readonly [name: string, start: number])[]
  readonly calls: readonly TracedCall[]
}
