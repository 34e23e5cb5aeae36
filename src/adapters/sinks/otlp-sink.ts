/**
 * Events as log records over OTLP/HTTP with JSON. A partial success does not say which records were refused; the engine
 * halves the batch until it knows, and receivers drop the repeats by `gatewright.id`.
 */
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'
import { exchange, type HttpReceiver, isObject, jsonObject } from './http-exchange.ts'
import { again, divided, outcomeOf, taken } from './outcome.ts'

export interface OtlpSinkOptions extends HttpReceiver {
  readonly name: string
  readonly path: string
  /** Flat list of further headers, read anew for each batch; null: a secret is not there. */
  readonly headers: () => readonly string[] | null
  readonly version: string
  /** JSON of a log record. */
  readonly record: (event: OversightEvent) => string
  readonly now: () => number
}

export function createOtlpSink(options: OtlpSinkOptions): EventSink {
  const service = JSON.stringify({
    attributes: [{ key: 'service.name', value: { stringValue: 'gatewright' } }],
  })
  const scope = JSON.stringify({ name: 'gatewright', version: options.version })
  return {
    name: options.name,
    async deliver(batch, signal) {
      const own = options.headers()
      if (own === null) return again(batch.length, 'its secret is not where the configuration says')
      const records = batch.map(options.record).join(',')
      const text = `{"resourceLogs":[{"resource":${service},"scopeLogs":[{"scope":${scope},"logRecords":[${records}]}]}]}`
      const headers = ['content-type', 'application/json', ...own]
      const result = await exchange(options, { path: options.path, headers, body: Buffer.from(text) }, signal)
      const outcome = outcomeOf(result, batch.length, options.now())
      return outcome === taken && result.failure === null
        ? partialOutcome(result.body, batch.length)
        : outcome
    },
    close: () => Promise.resolve(),
  }
}

function partialOutcome(body: string, events: number): DeliveryOutcome {
  const partial = jsonObject(body)?.['partialSuccess']
  const refused = isObject(partial) ? Number(partial['rejectedLogRecords'] ?? 0) : 0
  return refused > 0 ? divided(events, `the receiver refused ${refused} log records`) : taken
}
