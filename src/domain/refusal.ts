/**
 * Requests of callers who proved no key, and connections that never came to a request, as a worker tells of them: alike
 * ones of a second or so together. What such a caller sent, the key that it tried among it, has no field here.
 */
export interface Refusal {
  /** Request id of the first of them: unique, and the same however often this is told. */
  readonly id: string
  /** Unix milliseconds of the first. */
  readonly time: number
  /** How many they are, at least 1. */
  readonly count: number
  /** Code of the fault, or one of `connectionReasons`. */
  readonly fault: string
  /** HTTP status that they got; 0: none. */
  readonly status: number
  /** Of the caller, as it is believed; empty: of many. */
  readonly address: string
  /** Empty: no operation has such a path. */
  readonly operation: string
  /** The listener turned it away: there was no request. Absent: there was one. */
  readonly ofConnection?: true
}

/** Records of exchanges that were given up, as a worker tells of them. */
export interface DroppedRecords {
  /** Of the first of them: unique, and the same however often this is told. */
  readonly id: string
  /** Unix milliseconds at which the first was given up. */
  readonly time: number
  /** How many they are, at least 1. */
  readonly count: number
}

/** Why listeners turn connections away, where no fault of the catalogue says it: these get no answer. */
export const connectionReasons = Object.freeze({
  /** TLS did not come about: no version or cipher in common, no TLS at all, or not in time. */
  handshake: 'tls.handshake-failed',
  /** The listener takes connections of its proxies alone, each with a PROXY header. */
  proxy: 'proxy.not-trusted',
  /** Frames of HTTP/2 that only cost. */
  flood: 'http2.flooded',
})
