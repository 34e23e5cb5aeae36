/**
 * Google's token endpoint over the upstream port, so that token requests pass the same egress guard as every other
 * call. Bound: answers of at most 64 KiB, 15 s in all.
 */
import { parseOrigin } from '../../egress/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { UpstreamClient } from '../../ports/upstream-client.ts'
import { googleTokenUrl, type TokenFetcher } from './google-token.ts'

const maxAnswerBytes = 65_536
const timeouts = { connectMs: 5000, firstByteMs: 10_000, idleMs: 5000, totalMs: 15_000 }

/** A fetcher that posts the form through `client`. */
export function createTokenFetcher(client: UpstreamClient): TokenFetcher {
  const parsed = parseOrigin(googleTokenUrl, { allowPrivateNetwork: false })
  if (parsed instanceof Fault) throw parsed
  return (form, done) => {
    const chunks: Buffer[] = []
    let size = 0
    let status = 0
    const call = client.call(
      {
        origin: parsed.origin,
        method: 'POST',
        path: parsed.basePath,
        headers: ['content-type', 'application/x-www-form-urlencoded', 'accept', 'application/json'],
        body: Buffer.from(form),
        timeouts,
      },
      {
        head: (received) => {
          status = received
        },
        data: (chunk) => {
          size += chunk.length
          if (size <= maxAnswerBytes) chunks.push(chunk)
          else if (size - chunk.length <= maxAnswerBytes) {
            call.abort()
            done('the answer is too large', status, '')
          }
        },
        end: () => done(null, status, Buffer.concat(chunks).toString('utf8')),
        failure: (failure) => done(failure.kind, 0, ''),
      },
    )
  }
}
