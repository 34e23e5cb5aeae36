/**
 * Requests of callers who proved no key, as a worker tells of them: alike ones of a second or so together. What such
 * a caller sent, the key that it tried among it, has no field here.
 */
export interface Refusal {
  /** Request id of the first of them: unique, and the same however often this is told. */
  readonly id: string
  /** Unix milliseconds of the first. */
  readonly time: number
  /** How many they are, at least 1. */
  readonly count: number
  /** Code of the fault. */
  readonly fault: string
  /** HTTP status that they got. */
  readonly status: number
  /** Of the caller, as it is believed; empty: of many. */
  readonly address: string
  /** Empty: no operation has such a path. */
  readonly operation: string
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
