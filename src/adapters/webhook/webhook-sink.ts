/**
 * Events to an HTTP receiver, a batch in each POST, signed:
 *
 *   {"type":"events","events":[…]}
 *
 * What its answers mean is in `sinks/outcome.ts`.
 */
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { EventSink } from '../../ports/event-sink.ts'
import type { UpstreamClient, UpstreamOrigin } from '../../ports/upstream-client.ts'
import { again, type HttpAnswer, outcomeOf } from '../sinks/outcome.ts'
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
  /** An event as JSON. */
  readonly write: (event: OversightEvent) => string
}

export function createWebhookSink(options: WebhookSinkOptions): EventSink {
  const { name, client, secret, origin, path, now, timeoutMs, write } = options
  return {
    name,
    deliver(batch, signal) {
      const key = secret()
      if (key === null)
        return Promise.resolve(again(batch.length, 'its secret is not where the configuration says'))
      const body = `{"type":"events","events":[${batch.map(write).join(',')}]}`
      return new Promise((resolve) => {
        const post = { origin, path, body, secret: key, now: now(), timeoutMs }
        const abort = (): void => {
          call.abort()
          resolve(again(batch.length, 'the call was given up'))
        }
        const call = postSigned(client, post, (answer) => {
          signal.removeEventListener('abort', abort)
          resolve(outcomeOf(answerOf(answer), batch.length, now()))
        })
        signal.addEventListener('abort', abort, { once: true })
      })
    },
    close: () => Promise.resolve(),
  }
}

function answerOf(answer: PostAnswer): HttpAnswer {
  if (answer.status === null) return { failure: answer.reason }
  return { failure: null, status: answer.status, headers: answer.headers }
}
