/**
 * Events to an HTTP receiver, a batch in each POST, signed:
 *
 *   {"type":"events","events":[…]}
 *
 * 2xx takes the batch. 413, 400 and 422 say that something in it cannot be taken: the engine halves it until it knows
 * what. All else is tried again: an expired credential or a wrong path is the operator's to mend, and no event's fault.
 */
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'
import type { UpstreamClient, UpstreamOrigin } from '../../ports/upstream-client.ts'
import { type PostAnswer, postSigned } from './post-signed.ts'

export interface WebhookSinkOptions {
  readonly name: string
  readonly client: UpstreamClient
  /** Read anew for each batch, so that a rotated secret needs no restart. */
  readonly secret: () => string | null
  readonly origin: UpstreamOrigin
  readonly path: string
  readonly now: () => number
  readonly timeoutMs: number
}

const taken: DeliveryOutcome = Object.freeze({
  retry: [],
  rejected: [],
  retryAfterMs: null,
  tooLarge: false,
  problem: '',
})
const cannotBeTaken = new Set([400, 413, 422])

export function createWebhookSink(options: WebhookSinkOptions): EventSink {
  const { name, client, secret, origin, path, now, timeoutMs } = options
  return {
    name,
    deliver(batch, signal) {
      const key = secret()
      if (key === null) return Promise.resolve(again(batch, 'its secret is not where the configuration says'))
      const body = JSON.stringify({ type: 'events', events: batch })
      return new Promise((resolve) => {
        const post = { origin, path, body, secret: key, now: now(), timeoutMs }
        const abort = (): void => {
          call.abort()
          resolve(again(batch, 'the call was given up'))
        }
        const call = postSigned(client, post, (answer) => {
          signal.removeEventListener('abort', abort)
          resolve(outcomeOf(answer, batch, now()))
        })
        signal.addEventListener('abort', abort, { once: true })
      })
    },
    close: () => Promise.resolve(),
  }
}

function again(
  batch: readonly OversightEvent[],
  problem: string,
  retryAfterMs: number | null = null,
): DeliveryOutcome {
  return { ...taken, retry: [...batch.keys()], retryAfterMs, problem }
}

function outcomeOf(answer: PostAnswer, batch: readonly OversightEvent[], now: number): DeliveryOutcome {
  if (answer.status === null) return again(batch, answer.reason)
  const { status, headers } = answer
  if (status >= 200 && status < 300) return taken
  const problem = `the receiver answered ${status}`
  if (cannotBeTaken.has(status)) {
    if (batch.length > 1) return { ...taken, tooLarge: true, problem }
    return { ...taken, rejected: [{ at: 0, reason: problem }], problem }
  }
  return again(batch, problem, retryAfterOf(headers, now))
}

/** RFC 9110 §10.2.3: seconds or a date. */
function retryAfterOf(headers: readonly string[], now: number): number | null {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== 'retry-after') continue
    const value = headers[at + 1] ?? ''
    const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
    return ms >= 0 ? ms : null
  }
  return null
}
