/** Time as a port, so that tests can hold it still. */
export interface Clock {
  /** Unix time, milliseconds. */
  now(): number
  /** Monotone time, milliseconds with fractions; only differences mean something. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
