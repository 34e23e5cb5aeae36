/**
 * The pace at which each client opens connections: GCRA, one timestamp a client. So many a second in the long run,
 * and what four seconds allow at once, because browsers and pools open several together.
 *
 * Bound: `maxClients` entries. Who has been quiet long enough is forgotten first; when all are busy, the client seen
 * longest ago is forgotten with its debt, because refusing every stranger would serve the flood.
 */
export interface ArrivalPace {
  /** Note one arrival. False: too fast; a refused arrival costs nothing. */
  pass(client: string, perSecond: number): boolean
  /** Take this much time of the client's allowance. */
  delay(client: string, ms: number): void
}

const burstMs = 4000
const maxClients = 65_536

export function createArrivalPace(now: () => number, capacity = maxClients): ArrivalPace {
  /** Theoretical arrival time of the next connection, in order of the last arrival. */
  const dueOf = new Map<string, number>()

  function note(client: string, due: number): void {
    dueOf.delete(client)
    if (dueOf.size >= capacity) forget()
    dueOf.set(client, due)
  }

  function forget(): void {
    const time = now()
    for (const [client, due] of dueOf) {
      if (due > time && dueOf.size < capacity) return
      dueOf.delete(client)
    }
  }

  return {
    pass(client, perSecond) {
      const time = now()
      const due = Math.max(time, dueOf.get(client) ?? 0) + 1000 / perSecond
      // One connection is always let through to a client that was quiet, however slow the pace.
      if (due - time > Math.max(burstMs, 1000 / perSecond)) return false
      note(client, due)
      return true
    },
    delay(client, ms) {
      note(client, Math.max(now(), dueOf.get(client) ?? 0) + ms)
    },
  }
}
