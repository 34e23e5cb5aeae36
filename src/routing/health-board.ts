/**
 * What all threads of a node know of each target: one row of shared memory per deployment and per deployment × model.
 * A row says what keeps the target out of use and until when; the threads find it by a hash of its name.
 *
 * Shared is what one thread can learn for all (a refused credential, a `Retry-After`, an open breaker, a failed health
 * check). Figures that need many samples (latency, exchanges under way) stay with the worker: they would make every
 * exchange write to shared memory, and each worker sees enough of them.
 *
 * Lanes are 32-bit and so never torn; those of one row are not written together, and whoever reads between two writes
 * sees at worst a target in use a moment too long. Bound: 4,096 rows of 40 bytes; a name that finds no room is not
 * shared. Times are ticks of 10 ms that wrap around: spans up to 124 days compare rightly.
 */

export const troubles = ['none', 'cooling', 'open', 'retired', 'unhealthy'] as const
/**
 * `cooling` the provider asked for a pause · `open` too many calls failed · `retired` the credential was refused ·
 * `unhealthy` the health check failed.
 */
export type Trouble = (typeof troubles)[number]

const rowCount = 4096
const lanesPerRow = 10
export const healthBoardBytes = rowCount * lanesPerRow * 4

/** Lanes of a row; the first two hold its name. */
export const lane = Object.freeze({
  trouble: 2,
  /** Tick from which the target may be tried again. */
  until: 3,
  /** Times in a row that it came to this. */
  streak: 4,
  /** Tick until which a trial is under way. */
  trialUntil: 5,
  /** Fingerprint of the credential that the row speaks of. */
  credential: 6,
  /** How often it went out of use, for metrics. */
  count: 7,
})

export interface BoardRow {
  readonly lanes: Int32Array
  /** Where the row begins in `lanes`. */
  readonly start: number
}

export interface HealthBoard {
  /** The row of `name`; made where there is none. */
  row(name: bigint): BoardRow
}

/** @param buffer shared between threads, or of one alone; `healthBoardBytes` long and zero at first */
export function openHealthBoard(buffer: ArrayBufferLike = new ArrayBuffer(healthBoardBytes)): HealthBoard {
  const lanes = new Int32Array(buffer)
  const names = new BigInt64Array(buffer)
  return {
    row(name) {
      // Zero marks a free row.
      const wanted = BigInt.asIntN(64, name) || 1n
      const first = Number(BigInt.asUintN(32, wanted)) % rowCount
      for (let step = 0; step < rowCount; step += 1) {
        const place = (first + step) % rowCount
        const at = (place * lanesPerRow) / 2
        const holder = Atomics.compareExchange(names, at, 0n, wanted)
        if (holder === 0n || holder === wanted) return { lanes, start: place * lanesPerRow }
      }
      return { lanes: new Int32Array(lanesPerRow), start: 0 }
    },
  }
}

const tickMs = 10

/** Unix milliseconds → tick. */
export function tickOf(ms: number): number {
  return Math.ceil(ms / tickMs) | 0
}

/** Milliseconds from `now` (Unix milliseconds) until `tick`; negative once it has passed. */
export function untilTick(tick: number, now: number): number {
  return ((tick - (Math.floor(now / tickMs) | 0)) | 0) * tickMs
}
