/**
 * One call to a token issuer, over the upstream port: it passes the egress guard, goes to the address that was
 * checked, and follows no redirect. Bounds: `maxDocumentBytes` of answer, 10 s in all.
 */
import { parseOrigin } from '../../egress/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { UpstreamClient, UpstreamOrigin } from '../../ports/upstream-client.ts'

const maxDocumentBytes = 262_144
const timeouts = { connectMs: 5000, firstByteMs: 8000, idleMs: 5000, totalMs: 10_000 }

export interface DocumentRequest {
  readonly url: string
  readonly allowPrivateNetwork: boolean
  /** Left out: GET. */
  readonly form?: { readonly body: string; readonly authorization: string }
}

export type DocumentAnswer =
  | { readonly status: number; readonly headers: readonly string[]; readonly text: string }
  /** Why there is none; names no secret. */
  | { readonly status: null; readonly reason: string }

interface Address {
  readonly origin: UpstreamOrigin
  readonly path: string
}

const shape = /^(https?:\/\/[^/?#\\]+)(\/[!-"$->@-~]*)?(\?[!-"$-~]*)?$/

/** Where a URL leads. @returns the reason where it is refused */
export function parseAddress(url: string, allowPrivateNetwork: boolean): Address | string {
  const parts = url.length <= 2048 ? shape.exec(url) : null
  if (parts === null) return 'expected https://host[:port][/path][?query] without credentials or fragment'
  const parsed = parseOrigin(parts[1] ?? '', { allowPrivateNetwork })
  if (parsed instanceof Fault) return parsed.publicText
  return { origin: parsed.origin, path: `${parts[2] ?? '/'}${parts[3] ?? ''}` }
}

/** `done` is called exactly once. */
export function fetchDocument(
  client: UpstreamClient,
  { url, allowPrivateNetwork, form }: DocumentRequest,
  done: (answer: DocumentAnswer) => void,
): void {
  const address = parseAddress(url, allowPrivateNetwork)
  if (typeof address === 'string') return done({ status: null, reason: address })
  const accept = ['accept', 'application/json']
  const type = ['content-type', 'application/x-www-form-urlencoded']
  const headers = form === undefined ? accept : [...accept, ...type, 'authorization', form.authorization]
  const body = form === undefined ? null : Buffer.from(form.body)
  const chunks: Buffer[] = []
  let size = 0
  let head: { status: number; headers: readonly string[] } | null = null
  const call = client.call(
    { ...address, method: form === undefined ? 'GET' : 'POST', headers, body, timeouts },
    {
      head(status, received) {
        head = { status, headers: received }
      },
      data(chunk) {
        const wasWithin = size <= maxDocumentBytes
        size += chunk.length
        if (size <= maxDocumentBytes) return chunks.push(chunk)
        if (!wasWithin) return
        call.abort()
        return done({ status: null, reason: 'the answer is too large' })
      },
      end() {
        if (head !== null) done({ ...head, text: Buffer.concat(chunks).toString('utf8') })
      },
      failure: ({ kind }) => done({ status: null, reason: `there was no answer: ${kind}` }),
    },
  )
}
