/**
 * How the counters lie in one SharedArrayBuffer.
 *
 *   head      sizes, hash key, figures of the table
 *   locks     one word per shard, 64 bytes apart: 0 free, else owner + 1
 *   groups    how many slots each group of counters holds (by hash; two that collide count together)
 *   tags      per slot: first word of the key's hash, 0 never used      32 slots are a bucket; a key lives in one
 *   idleAt    per slot: from when nothing is counted in it               of two buckets of its shard
 *   slots     per slot: level, at, pending, spent, rate, endsAt, three more hash words, group and kind    64 bytes
 *   cards     per slot, of leased counters: terms, what the central counters said, name                 256 bytes
 *   undo      per owner: how many slots of the move under way may be changed, and what was in them
 *   tickets   per owner: slot and units of each hold
 *   rules     hash of a rule's id, and its figures
 *
 * Pages that nobody touched take no memory. 131,072 slots (100,000 active keys and room) take 10 MB, 42 MB when all
 * are leased.
 */

export interface CounterSizes {
  /** Slots for counters: a power of two, at least 128. */
  readonly slots: number
  /** Threads that open the counters. */
  readonly owners: number
  /** Holds of one owner at a time. */
  readonly tickets: number
}

export const defaultCounterSizes: Omit<CounterSizes, 'owners'> = { slots: 131_072, tickets: 65_536 }

export const bucketSlots = 32
/** The fewer slots a shard has, the more unevenly keys fall among shards. */
const minShardSlots = 1024
const minSlots = 4 * bucketSlots
const maxShards = 32
export const lockStride = 16
export const groupCells = 4096
export const ruleCells = 8192

/** Numbers of a slot, in 8 bytes each. */
export const slotNumbers = 8
export const level = 0
export const at = 1
export const pending = 2
export const spent = 3
export const rate = 4
export const endsAt = 5
/** Words of a slot, in 4 bytes each; they lie in the last two numbers. */
export const slotWords = 16
export const hashWords = 12
export const groupWord = 15

/** Numbers of a card. */
export const cardNumbers = 32
export const cardKind = 0
export const cardTerms = 1
export const cardFetchUntil = 4
export const cardDryUntil = 5
export const cardDryUnits = 6
export const cardCentralLeft = 7
export const cardResetAt = 8
/** Units that the node granted itself and that nobody debited yet. */
export const cardOwn = 9
/** All that it granted itself since it heard the central counters last. */
export const cardOwnSinceHeard = 10
/** 1: the central counters were heard. */
export const cardHeard = 11
export const cardNameLength = 12
/** Numbers that a new name starts with. */
export const cardUsedNumbers = 13
/** The name follows in bytes. */
export const cardNameByte = 128
export const cardBytes = 256
export const maxNameBytes = cardBytes - cardNameByte

/** An undo entry: slot, ticket, and what was in them. */
export const undoNumbers = 10

export const ticketNumbers = 2

const headWords = 64
export const headSlots = 0
export const headOwners = 1
export const headTickets = 2
export const headHashKey = 4
export const headFull = 8
export const headBusy = 9
export const headUsed = 10
/** Held while a thread that died is cleared up after. */
export const headRecovery = 11
/** 0: nobody knows. */
export const headNodes = 12

export interface CounterViews {
  readonly sizes: CounterSizes
  readonly shards: number
  readonly head: Int32Array<SharedArrayBuffer>
  readonly locks: Int32Array<SharedArrayBuffer>
  readonly groups: Int32Array<SharedArrayBuffer>
  readonly tags: Int32Array<SharedArrayBuffer>
  readonly idleAt: Float64Array<SharedArrayBuffer>
  readonly slots: Float64Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  readonly cards: Float64Array<SharedArrayBuffer>
  readonly names: Buffer<SharedArrayBuffer>
  /** Per owner: entries of its undo record that count. */
  readonly undoCounts: Int32Array<SharedArrayBuffer>
  readonly undo: Float64Array<SharedArrayBuffer>
  readonly tickets: Float64Array<SharedArrayBuffer>
  readonly ruleIds: Int32Array<SharedArrayBuffer>
  readonly ruleCounts: BigInt64Array<SharedArrayBuffer>
}

interface Regions {
  readonly offsets: Readonly<Record<string, number>>
  readonly bytes: number
}

function regionsOf(sizes: CounterSizes, lengths: Readonly<Record<string, number>>): Regions {
  const offsets: Record<string, number> = {}
  let bytes = 0
  for (const [name, length] of Object.entries(lengths)) {
    offsets[name] = bytes
    bytes += Math.ceil(length / 64) * 64
  }
  if (!Number.isSafeInteger(bytes) || sizes.slots > 2 ** 24) throw new RangeError('too many counters')
  return { offsets, bytes }
}

function lengthsOf(sizes: CounterSizes, undoParts: number) {
  const { slots, owners, tickets } = sizes
  return {
    head: headWords * 4,
    locks: shardsOf(slots) * lockStride * 4,
    groups: groupCells * 4,
    tags: slots * 4,
    idleAt: slots * 8,
    slots: slots * slotNumbers * 8,
    cards: slots * cardBytes,
    undoCounts: owners * lockStride * 4,
    undo: owners * undoParts * undoNumbers * 8,
    tickets: owners * tickets * ticketNumbers * 8,
    ruleIds: ruleCells * 2 * 4,
    ruleCounts: ruleCells * 4 * 8,
  }
}

export function shardsOf(slots: number): number {
  return Math.min(maxShards, Math.max(1, slots / minShardSlots))
}

/** Bytes of a buffer for counters. */
export function bytesOf(sizes: CounterSizes, undoParts: number): number {
  const isPowerOfTwo = Number.isInteger(Math.log2(sizes.slots))
  if (!isPowerOfTwo || sizes.slots < minSlots) throw new RangeError('slots: a power of two, at least 128')
  return regionsOf(sizes, lengthsOf(sizes, undoParts)).bytes
}

/** The parts of a buffer that `createSharedCounters` made. */
export function viewsOf(buffer: SharedArrayBuffer, undoParts: number): CounterViews {
  const head = new Int32Array(buffer, 0, headWords)
  const sizes = {
    slots: head[headSlots] ?? 0,
    owners: head[headOwners] ?? 0,
    tickets: head[headTickets] ?? 0,
  }
  const lengths = lengthsOf(sizes, undoParts)
  const { offsets } = regionsOf(sizes, lengths)
  const place = (name: keyof typeof lengths) => offsets[name] ?? 0
  const int32 = (name: keyof typeof lengths) => new Int32Array(buffer, place(name), lengths[name] / 4)
  const float64 = (name: keyof typeof lengths) => new Float64Array(buffer, place(name), lengths[name] / 8)
  return {
    sizes,
    shards: shardsOf(sizes.slots),
    head,
    locks: int32('locks'),
    groups: int32('groups'),
    tags: int32('tags'),
    idleAt: float64('idleAt'),
    slots: float64('slots'),
    words: int32('slots'),
    cards: float64('cards'),
    names: Buffer.from(buffer, place('cards'), lengths.cards),
    undoCounts: int32('undoCounts'),
    undo: float64('undo'),
    tickets: float64('tickets'),
    ruleIds: int32('ruleIds'),
    ruleCounts: new BigInt64Array(buffer, place('ruleCounts'), lengths.ruleCounts / 8),
  }
}
