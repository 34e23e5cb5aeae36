/**
 * How long this process could not run although it wanted to: what a busy machine adds to every measured time. A test of
 * a figure allows for it, so that it says something about the code and not about the machine.
 */
const everyMs = 20

export interface StolenTime {
  /** Milliseconds since the start, and stop watching. */
  stop(): number
}

export function watchStolenTime(): StolenTime {
  let stolen = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    stolen += Math.max(0, now - last - 1.5 * everyMs)
    last = now
  }, everyMs)
  return {
    stop() {
      clearInterval(timer)
      return stolen
    },
  }
}
