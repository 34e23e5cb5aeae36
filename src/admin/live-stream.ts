/**
 * Events as server-sent events (WHATWG HTML §9.2): `event: oversight` for one that happened, `event: gap` where some
 * were lost, and why, `event: end` before the server ends the stream, a comment every few seconds so that nothing on the way
 * takes it for dead. The token is looked up again every `checkEveryMs`: revoked or expired, the stream ends.
 */
import { type LiveBatch, type LiveSubscription, sanitiseEvent } from '../events/index.ts'
import type { AdminContext } from './context.ts'

const heartbeatMs = 15_000
const checkEveryMs = 1000

interface LiveStream {
  readonly subscription: LiveSubscription
  /** Whether the caller sees whom an event concerns. */
  readonly showsPersons: boolean
}

function format(batch: LiveBatch, showsPersons: boolean): string {
  const { lost, reason } = batch
  let text = lost === 0 ? '' : `event: gap\ndata: ${JSON.stringify({ lost, reason })}\n\n`
  for (const { place, event } of batch.entries) {
    const data = JSON.stringify(showsPersons ? event : sanitiseEvent(event))
    text += `id: ${place}\nevent: oversight\ndata: ${data}\n\n`
  }
  return text
}

async function isTokenValid({ deps, caller }: AdminContext): Promise<boolean> {
  const token = await deps.store.adminTokens.findByTokenId(caller.tokenId)
  if (token === null || token.revokedAt !== null) return false
  return token.expiresAt === null || token.expiresAt > deps.clock.now()
}

function endText(reason: 'token' | 'closing'): string {
  return `event: end\ndata: ${JSON.stringify({ reason })}\n\n`
}

/** An iterator of its own, not a generator: a reader that goes away while it waits ends the subscription at once. */
export function writeLiveStream(ctx: AdminContext, stream: LiveStream): AsyncIterable<string> {
  const { subscription, showsPersons } = stream
  let isDone = false
  let isOpened = false
  let wroteAt = performance.now()
  let checkedAt = wroteAt

  async function next(): Promise<string> {
    if (!isOpened) {
      isOpened = true
      return ': watching\nretry: 1000\n\n'
    }
    for (;;) {
      const batch = await subscription.read(checkEveryMs)
      const now = performance.now()
      const isDue = now - checkedAt >= checkEveryMs
      if (isDue) checkedAt = now
      const isValid = !isDue || (await isTokenValid(ctx))
      if (isDone) return ''
      if (!isValid || batch.ended) {
        finish()
        return endText(isValid ? 'closing' : 'token')
      }
      const text = format(batch, showsPersons)
      if (text === '' && now - wroteAt < heartbeatMs) continue
      wroteAt = now
      return text === '' ? ': heartbeat\n\n' : text
    }
  }

  function finish(): void {
    isDone = true
    subscription.close()
  }

  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (isDone) return { done: true, value: undefined }
        try {
          return { done: false, value: await next() }
        } catch (error) {
          finish()
          throw error
        }
      },
      return() {
        finish()
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
}
