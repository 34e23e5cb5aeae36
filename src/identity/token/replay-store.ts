/**
 * Proofs that were used, in memory that all workers of a node share, so that none of them takes a proof twice.
 *
 *   head      16 random bytes: places of entries cannot be chosen from outside
 *   slots     one 64-bit word each: 43 bits of the entry's hash, 20 bits of the second at which it ends; 0: free
 *
 * An entry lies in the bucket that its hash names. One atomic exchange of one word puts it there, so a thread may die
 * at any moment and leaves nothing half done. Two threads that add the same entry at once: the first free slot is the
 * same for both, so one exchange fails and sees the other; where slots ended between their looks, each looks over the
 * whole bucket again after it has written, and both refuse. Bound: `slotCount` entries at a time; a bucket that is
 * full of entries that have not ended refuses (in the mean a quarter of a bucket is in use at 500 proofs a second).
 */
import { hash, randomFillSync } from 'node:crypto'

const headBytes = 16
const bucketSlots = 16
const buckets = 8192
const slotCount = buckets * bucketSlots
const secondBits = 20n
const secondMask = (1n << secondBits) - 1n
const secondRange = Number(secondMask) + 1

/** Memory for the proofs of one node: 1 MiB. */
export function createReplayMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(headBytes + slotCount * 8)
  randomFillSync(new Uint8Array(memory, 0, headBytes))
  return memory
}

/** new: it was not there, and is now · seen: it was · full: it cannot be known, so it must not be taken. */
export type ReplayAnswer = 'new' | 'seen' | 'full'

export interface ReplayStore {
  /** `endsAt`, `now`: Unix milliseconds. At most 12 days apart. */
  add(entry: string, endsAt: number, now: number): ReplayAnswer
}

export function openReplayStore(memory: SharedArrayBuffer): ReplayStore {
  const salt = Buffer.from(new Uint8Array(memory, 0, headBytes)).toString('base64')
  const slots = new BigInt64Array(memory, headBytes)

  /** Seconds wrap every 12 days: what lies in the half before is over. */
  function hasEnded(word: bigint, second: number): boolean {
    const ahead = (Number(word & secondMask) - second + secondRange) % secondRange
    return ahead === 0 || ahead >= secondRange / 2
  }

  /** Live entries of the bucket with this hash. */
  function copies(start: number, mark: bigint, second: number): number {
    let found = 0
    for (let at = start; at < start + bucketSlots; at += 1) {
      const word = Atomics.load(slots, at)
      if (word !== 0n && word >> secondBits === mark && !hasEnded(word, second)) found += 1
    }
    return found
  }

  return {
    add(entry, endsAt, now) {
      const digest = hash('sha256', `${salt}${entry}`, 'buffer')
      const start = (digest.readUInt32BE(0) % buckets) * bucketSlots
      // Never 0 as a word, and never negative.
      const mark = (digest.readBigUInt64BE(8) >> 21n) | 1n
      const second = Math.floor(now / 1000) % secondRange
      const end = BigInt(Math.ceil(endsAt / 1000) % secondRange)
      const word = (mark << secondBits) | end
      if (copies(start, mark, second) > 0) return 'seen'
      for (let at = start; at < start + bucketSlots; at += 1) {
        const held = Atomics.load(slots, at)
        if (held !== 0n && !hasEnded(held, second)) continue
        if (Atomics.compareExchange(slots, at, held, word) === held)
          return copies(start, mark, second) > 1 ? 'seen' : 'new'
        // Somebody was faster: it may have been with the same entry.
        if (copies(start, mark, second) > 0) return 'seen'
      }
      return 'full'
    },
  }
}
