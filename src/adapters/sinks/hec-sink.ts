/**
 * Events to Splunk's HTTP Event Collector: JSON objects one after another in one POST. With `acknowledged` the batch
 * counts as taken when the indexers say so (channel and ackId), else when Splunk has accepted it for indexing.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'
import { exchange, type HttpReceiver, isObject, jsonObject } from './http-exchange.ts'
import { again, outcomeOf, taken } from './outcome.ts'

export interface HecSinkOptions extends HttpReceiver {
  readonly name: string
  readonly basePath: string
  readonly token: () => string | null
  readonly host: string
  /** Empty: the one of the token. */
  readonly index: string
  readonly acknowledged: boolean
  /** JSON of an event. */
  readonly document: (event: OversightEvent) => string
  readonly now: () => number
}

const askEveryMs = 250

export function createHecSink(options: HecSinkOptions): EventSink {
  // Acknowledgements are kept by channel; one for each sink of each process.
  const channel = randomUUID()
  return {
    name: options.name,
    async deliver(batch, signal) {
      const token = options.token()
      if (token === null) return again(batch.length, 'its secret is not where the configuration says')
      const headers = ['content-type', 'application/json', 'authorization', `Splunk ${token}`]
      if (options.acknowledged) headers.push('x-splunk-request-channel', channel)
      const body = Buffer.from(batch.map((event) => envelopeOf(event, options)).join('\n'))
      const path = `${options.basePath}/services/collector/event`
      const result = await exchange(options, { path, headers, body }, signal)
      const outcome = outcomeOf(result, batch.length, options.now())
      if (outcome !== taken || result.failure !== null) return outcome
      const answer = jsonObject(result.body)
      if (answer?.['code'] !== 0) return again(batch.length, 'the answer is not one of the event collector')
      if (!options.acknowledged) return taken
      return confirm({ options, headers, channel, signal, events: batch.length }, answer['ackId'])
    },
    close: () => Promise.resolve(),
  }
}

function envelopeOf(event: OversightEvent, { host, index, document }: HecSinkOptions): string {
  const time = JSON.stringify((event.time / 1000).toFixed(3))
  const place = index === '' ? '' : `,"index":${JSON.stringify(index)}`
  const source = `"host":${JSON.stringify(host)},"source":"gatewright","sourcetype":"gatewright:${event.stream}"`
  return `{"time":${time},${source}${place},"event":${document(event)}}`
}

interface Confirmation {
  readonly options: HecSinkOptions
  readonly headers: readonly string[]
  readonly channel: string
  readonly signal: AbortSignal
  readonly events: number
}

/** Ask until the indexers have it, or the time for the batch is over. */
async function confirm(
  { options, headers, channel, signal, events }: Confirmation,
  ackId: unknown,
): Promise<DeliveryOutcome> {
  if (typeof ackId !== 'number') return again(events, 'the receiver gave no ackId')
  const call = {
    path: `${options.basePath}/services/collector/ack?channel=${channel}`,
    headers,
    body: Buffer.from(JSON.stringify({ acks: [ackId] })),
  }
  const deadline = options.now() + options.timeoutMs
  while (!signal.aborted && options.now() < deadline) {
    const result = await exchange(options, call, signal)
    const acks = result.failure === null && result.status === 200 ? jsonObject(result.body)?.['acks'] : null
    if (isObject(acks) && acks[String(ackId)] === true) return taken
    await sleep(askEveryMs, undefined, { signal }).catch(() => undefined)
  }
  return again(events, 'the indexers did not acknowledge it in time')
}
