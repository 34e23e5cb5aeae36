/** A reply whose end waits until somebody lets it go: until then the caller has no whole answer. */
import type { Reply } from '../ports/listener.ts'

export interface HeldReply {
  readonly reply: Reply
  /** The way back itself. */
  readonly inner: Reply
  /** It was ended, and that has not reached the caller. */
  readonly isWaiting: boolean
  /** What was or will be ended goes on its way. */
  release(): void
}

/** Wrap `inner`. Bound: the last piece, or a whole unary answer, which is in memory anyway. */
export function holdReply(inner: Reply): HeldReply {
  let end: (() => void) | null = null
  let isReleased = false
  const endWith = (action: () => void): void => {
    if (isReleased) action()
    else end ??= action
  }
  return {
    inner,
    reply: {
      get headSent() {
        return inner.headSent
      },
      get ended() {
        return end !== null || inner.ended
      },
      head: (status, headers) => inner.head(status, headers),
      flushHead: () => inner.flushHead(),
      write: (chunk) => inner.write(chunk),
      end: (chunk) => endWith(() => inner.end(chunk)),
      send: (status, headers, body) => endWith(() => inner.send(status, headers, body)),
      onDrain: (handler) => inner.onDrain(handler),
      destroy: () => inner.destroy(),
    },
    get isWaiting() {
      return end !== null && !isReleased
    },
    release() {
      isReleased = true
      end?.()
    },
  }
}
