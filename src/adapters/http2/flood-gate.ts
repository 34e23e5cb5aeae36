/**
 * Counts one kind of event of a session in fixed windows of a second. HTTP/2 lets a client make the server work
 * with frames that cost nothing to send: resets (CVE-2023-44487), pings, settings (CVE-2019-9512, -9515).
 * Bound: two numbers.
 */
export interface FloodGate {
  /** Note one event. False: too many within this second. */
  pass(): boolean
}

const windowMs = 1000

export function createFloodGate(eventsPerSecond: number): FloodGate {
  let windowStart = Number.NEGATIVE_INFINITY
  let count = 0
  return {
    pass() {
      const now = performance.now()
      if (now - windowStart >= windowMs) {
        windowStart = now
        count = 0
      }
      count += 1
      return count <= eventsPerSecond
    },
  }
}
