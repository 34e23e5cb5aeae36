/**
 * TLS handshakes in turn. A handshake is the dearest thing a stranger can ask for (about 0.6 ms of CPU), and it runs on
 * the thread that serves everybody. So only so many begin in a second; the others wait, in turn by client.
 *
 * Assumes that a connection asks when its first bytes are there, so that one that sends nothing takes no turn. Bounds:
 * as many waiting as there are connections; how long one waits is bounded by its handshake deadline.
 */
import type { Socket } from 'node:net'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import { createClientTurns } from './client-turns.ts'

export interface HandshakeTurns {
  /** `begin` runs now or when its turn comes. It returns false when nobody is there any more: that costs no turn. */
  ask(client: string, begin: () => boolean): void
  readonly waiting: number
}

const turnMs = 50

export function createHandshakeTurns(wheel: TimerWheel, perSecond: () => number): HandshakeTurns {
  const turns = createClientTurns<() => boolean>()
  let left = 0
  let refilledAt = Number.NEGATIVE_INFINITY

  function refill(): void {
    const now = performance.now()
    const most = Math.max(1, (perSecond() * turnMs) / 1000)
    left = Math.min(most, left + ((now - refilledAt) * perSecond()) / 1000)
    refilledAt = now
  }

  function serve(): void {
    refill()
    while (left >= 1 && turns.size > 0) if (turns.next()?.() === true) left -= 1
    if (turns.size > 0) wheel.set(turnMs, serve)
  }

  return {
    get waiting() {
      return turns.size
    },
    ask(client, begin) {
      if (turns.size === 0) {
        refill()
        if (left >= 1) {
          if (begin()) left -= 1
          return
        }
        wheel.set(turnMs, serve)
      }
      turns.add(client, begin)
    },
  }
}

/** Ask when the connection has sent something; one that ends without a word is closed. */
export function awaitTurn(
  turns: HandshakeTurns,
  { client, socket }: { readonly client: string; readonly socket: Socket },
  begin: () => boolean,
): void {
  if (socket.readableLength > 0) turns.ask(client, begin)
  else {
    socket.once('readable', () => {
      if (socket.readableLength > 0) turns.ask(client, begin)
      else socket.destroy()
    })
  }
}
