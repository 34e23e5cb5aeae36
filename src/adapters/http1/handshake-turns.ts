/**
 * TLS handshakes in turn. A handshake is the dearest thing a stranger can ask for (about 0.6 ms of CPU), and it runs on
 * the thread that serves everybody. So only so many begin in a second; the others wait, first one of each client,
 * then the second of each: who sends a thousand at once waits for the last of them, and nobody waits for him.
 *
 * Assumes that a connection asks when its first bytes are there, so that one that sends nothing takes no turn. Bounds:
 * as many waiting as there are connections; how long one waits is bounded by its handshake deadline.
 */
import type { TimerWheel } from '../../kernel/timer-wheel.ts'

export interface HandshakeTurns {
  /** `begin` runs now or when its turn comes. It returns false when nobody is there any more: that costs no turn. */
  ask(client: string, begin: () => boolean): void
  readonly waiting: number
}

const turnMs = 50

export function createHandshakeTurns(wheel: TimerWheel, perSecond: () => number): HandshakeTurns {
  const queues = new Map<string, (() => boolean)[]>()
  let waiting = 0
  let left = 0
  let refilledAt = Number.NEGATIVE_INFINITY

  function refill(): void {
    const now = performance.now()
    const most = Math.max(1, (perSecond() * turnMs) / 1000)
    left = Math.min(most, left + ((now - refilledAt) * perSecond()) / 1000)
    refilledAt = now
  }

  /** The next of the client that has waited longest for a turn; the client goes to the end. */
  function next(): (() => boolean) | undefined {
    for (const [client, queue] of queues) {
      const begin = queue.shift()
      queues.delete(client)
      if (queue.length > 0) queues.set(client, queue)
      waiting -= 1
      return begin
    }
    return undefined
  }

  function serve(): void {
    refill()
    while (left >= 1 && waiting > 0) if (next()?.() === true) left -= 1
    if (waiting > 0) wheel.set(turnMs, serve)
  }

  return {
    get waiting() {
      return waiting
    },
    ask(client, begin) {
      if (waiting === 0) {
        refill()
        if (left >= 1) {
          if (begin()) left -= 1
          return
        }
        wheel.set(turnMs, serve)
      }
      waiting += 1
      const queue = queues.get(client)
      if (queue === undefined) queues.set(client, [begin])
      else queue.push(begin)
    },
  }
}
