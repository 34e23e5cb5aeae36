/** One call to a receiver through the egress guard, answer whole in memory. Bound: answers of at most 16 MiB. */
import type { UpstreamClient, UpstreamOrigin } from '../../ports/upstream-client.ts'

export interface HttpCall {
  readonly method?: 'POST' | 'PUT'
  /** Path and query. */
  readonly path: string
  /** Flat list name, value … */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

export type HttpResult =
  | {
      readonly failure: null
      readonly status: number
      readonly headers: readonly string[]
      readonly body: string
    }
  /** No answer, and why: holds no secret and no content. */
  | { readonly failure: string }

/** Where a receiver is and how it is called. */
export interface HttpReceiver {
  readonly client: UpstreamClient
  readonly origin: UpstreamOrigin
  readonly timeoutMs: number
}

const maxAnswerBytes = 16 * 1024 * 1024

/** Never rejects. */
export function exchange(receiver: HttpReceiver, call: HttpCall, signal: AbortSignal): Promise<HttpResult> {
  const { client, origin, timeoutMs } = receiver
  if (signal.aborted) return Promise.resolve({ failure: 'the call was given up' })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    let status = 0
    let headers: readonly string[] = []
    const finish = (result: HttpResult): void => {
      signal.removeEventListener('abort', abort)
      resolve(result)
    }
    const abort = (): void => {
      underWay.abort()
      finish({ failure: 'the call was given up' })
    }
    const timeouts = { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs }
    const underWay = client.call(
      {
        origin,
        method: call.method ?? 'POST',
        path: call.path,
        headers: call.headers,
        body: call.body,
        timeouts,
      },
      {
        head(received, fields) {
          status = received
          headers = fields
        },
        data(chunk) {
          size += chunk.length
          if (size <= maxAnswerBytes) return void chunks.push(chunk)
          underWay.abort()
          finish({ failure: 'the answer is too large' })
        },
        end: () => finish({ failure: null, status, headers, body: Buffer.concat(chunks).toString('utf8') }),
        failure: ({ kind }) => finish({ failure: kind }),
      },
    )
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** A JSON answer as an object; null: it is none. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
