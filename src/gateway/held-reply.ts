/** A reply whose end waits until somebody lets it go: until then the caller has no whole answer. */
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'
import type { Reply } from '../ports/listener.ts'

export interface HeldReply {
  readonly reply: Reply
  /** What was or will be ended goes on its way. */
  release(): void
}

export interface HoldTerms {
  readonly timers: TimerWheel
  /** How long an end waits. */
  readonly longestMs: number
  /** It has waited for so long: it is given up, and `inner` is the caller's to end. */
  readonly overdue: (inner: Reply) => void
}

/** Wrap `inner`. Bound: the last piece, or a whole unary answer, which is in memory anyway. */
export function holdReply(inner: Reply, { timers, longestMs, overdue }: HoldTerms): HeldReply {
  let end: (() => void) | null = null
  let timer: TimerHandle | null = null
  let isOver = false
  const endWith = (action: () => void): void => {
    if (isOver) return action()
    if (end !== null) return
    end = action
    timer = timers.set(longestMs, () => {
      isOver = true
      overdue(inner)
    })
  }
  return {
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
    release() {
      if (isOver) return
      isOver = true
      timer?.clear()
      end?.()
    },
  }
}
