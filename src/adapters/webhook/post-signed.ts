/** One signed POST to a receiver of the operator. What the answer says in its body is nothing to us. */
import { signWebhook, webhookSignatureHeader } from '../../kernel/webhook-signature.ts'
import type { ClientCall, UpstreamClient, UpstreamOrigin } from '../../ports/upstream-client.ts'

export interface SignedPost {
  readonly origin: UpstreamOrigin
  readonly path: string
  readonly body: string
  readonly secret: string
  /** Unix milliseconds. */
  readonly now: number
  readonly timeoutMs: number
}

export type PostAnswer =
  | { readonly status: number; readonly headers: readonly string[] }
  /** There was none, and why. */
  | { readonly status: null; readonly reason: string }

/** `done` is called once, unless the call is aborted. */
export function postSigned(
  client: UpstreamClient,
  post: SignedPost,
  done: (answer: PostAnswer) => void,
): ClientCall {
  const { origin, path, body, secret, now, timeoutMs } = post
  const signature = signWebhook(secret, body, Math.floor(now / 1000))
  const headers = ['content-type', 'application/json', webhookSignatureHeader, signature]
  const timeouts = { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs }
  const call = client.call(
    { origin, method: 'POST', path, headers, body: Buffer.from(body), timeouts },
    {
      head(status, list) {
        call.abort()
        done({ status, headers: list })
      },
      data() {},
      end() {},
      failure: ({ kind }) => done({ status: null, reason: kind }),
    },
  )
  return call
}
