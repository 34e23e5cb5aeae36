/**
 * Requests of HTTP/2 in turn. One read can bring a hundred requests on each of a hundred connections; were they all
 * handed over at once, every other client would wait for all of them. So only so many are in one turn of the event
 * loop; the others wait, in turn by client. Nothing is slower for it: as soon as a turn is over the next one begins.
 * A request that its client takes back while it waits is never handed over, which is most of a rapid reset.
 *
 * Bound: as many waiting as there are open streams.
 */
import { createClientTurns } from './client-turns.ts'

export interface RequestTurns {
  /** `begin` runs now or when its turn comes. It must not throw. */
  ask(client: string, begin: () => void): void
}

/** Between 1 and 2 ms of work. */
const requestsInTurn = 16

export function createRequestTurns(): RequestTurns {
  const turns = createClientTurns<() => void>()
  let left = requestsInTurn

  function nextTurn(): void {
    left = requestsInTurn
    while (left > 0 && turns.size > 0) {
      left -= 1
      turns.next()?.()
    }
    if (left < requestsInTurn) setImmediate(nextTurn)
  }

  return {
    ask(client, begin) {
      if (left === requestsInTurn) setImmediate(nextTurn)
      if (left > 0 && turns.size === 0) {
        left -= 1
        begin()
      } else turns.add(client, begin)
    },
  }
}
