/**
 * Where a counter's slot is. A key may live in one of two buckets of its shard and takes the emptier one, which lets
 * a table be filled to nine tenths. A slot in which nothing is counted any more is taken by the next key that needs
 * one. All but `find` run under the shard's lock.
 */
import type { CounterName, NodeCounter } from '../../ports/node-counters.ts'
import { hashName } from './hash-name.ts'
import {
  at,
  bucketSlots,
  type CounterViews,
  cardBytes,
  cardNameByte,
  cardNameLength,
  cardNumbers,
  cardUsedNumbers,
  endsAt,
  groupCells,
  groupWord,
  hashWords,
  headHashKey,
  headUsed,
  level,
  maxNameBytes,
  pending,
  rate,
  slotNumbers,
  slotWords,
  spent,
} from './layout.ts'

/** A slot that is looked at is not given away before the move is over. */
const reservedMs = 1000
/** From this load on, a group that holds more than half of the table gets no more of it. */
const crowdedLoad = 0.8

/** A counter and where it is. */
export class Counter implements NodeCounter {
  readonly key: string
  readonly startsAt: number
  readonly group: string
  readonly leased: boolean
  readonly tag: number
  readonly word1: number
  readonly word2: number
  readonly word3: number
  readonly groupCell: number
  readonly shard: number
  readonly bucketA: number
  readonly bucketB: number
  /** Where it was last. */
  slot = -1

  constructor(name: CounterName, views: CounterViews) {
    this.key = name.key
    this.startsAt = name.startsAt
    this.group = name.group
    this.leased = name.leased
    const hash = new Int32Array(4)
    const hashKey = views.head.subarray(headHashKey, headHashKey + 4)
    hashName(name.group, hashKey, hash)
    this.groupCell = (hash[0] ?? 0) & (groupCells - 1)
    // A leased counter and one kept here are two, also under one name.
    hashName(`${name.leased ? 'leased' : 'own'} ${name.startsAt} ${name.key}`, hashKey, hash)
    // 0 says that a slot was never used.
    this.tag = hash[0] || 1
    this.word1 = hash[1] ?? 0
    this.word2 = hash[2] ?? 0
    this.word3 = hash[3] ?? 0
    this.shard = this.word1 & (views.shards - 1)
    const shardSlots = views.sizes.slots / views.shards
    const buckets = shardSlots / bucketSlots
    const first = (this.word1 >>> 8) & (buckets - 1)
    // An odd step never leads back to the first bucket.
    const second = (first + ((this.word2 & (buckets - 1)) | 1)) & (buckets - 1)
    this.bucketA = this.shard * shardSlots + first * bucketSlots
    this.bucketB = this.shard * shardSlots + second * bucketSlots
  }
}

export class SlotTable {
  readonly #views: CounterViews

  constructor(views: CounterViews) {
    this.#views = views
  }

  /** The slot of `counter`, or -1. */
  find(counter: Counter): number {
    if (counter.slot >= 0 && this.#holds(counter.slot, counter)) return counter.slot
    const found = this.#findIn(counter.bucketA, counter)
    counter.slot = found >= 0 ? found : this.#findIn(counter.bucketB, counter)
    return counter.slot
  }

  /** The slot of `counter`, made where there is none, kept for this move; -1: none is free. */
  locate(counter: Counter, now: number): number {
    const slot = this.find(counter)
    if (slot < 0) return this.#claim(counter, now)
    if ((this.#views.idleAt[slot] ?? 0) <= now) this.#views.idleAt[slot] = now + reservedMs
    return slot
  }

  isLeased(slot: number): boolean {
    return ((this.#views.words[slot * slotWords + groupWord] ?? 0) & 1) === 1
  }

  nameOf(slot: number): string {
    const length = this.#views.cards[slot * cardNumbers + cardNameLength] ?? 0
    const start = slot * cardBytes + cardNameByte
    return this.#views.names.toString('latin1', start, start + length)
  }

  /** Nothing is counted in it any more: the slot is as new. */
  free(slot: number): void {
    const { words, groups, tags, head } = this.#views
    Atomics.sub(groups, (words[slot * slotWords + groupWord] ?? 0) >> 1, 1)
    Atomics.sub(head, headUsed, 1)
    tags[slot] = 0
  }

  #holds(slot: number, counter: Counter): boolean {
    if (this.#views.tags[slot] !== counter.tag) return false
    const { words } = this.#views
    const base = slot * slotWords + hashWords
    return (
      words[base] === counter.word1 && words[base + 1] === counter.word2 && words[base + 2] === counter.word3
    )
  }

  #findIn(bucket: number, counter: Counter): number {
    const { tags } = this.#views
    for (let slot = bucket; slot < bucket + bucketSlots; slot += 1) {
      if (tags[slot] === counter.tag && this.#holds(slot, counter)) return slot
    }
    return -1
  }

  #claim(counter: Counter, now: number): number {
    const { head, groups, sizes } = this.#views
    const isCrowded = Atomics.load(head, headUsed) >= sizes.slots * crowdedLoad
    if (isCrowded && Atomics.load(groups, counter.groupCell) > sizes.slots / 2) return -1
    const roomA = this.#roomIn(counter.bucketA, now)
    const roomB = this.#roomIn(counter.bucketB, now)
    const slot = this.#firstFree(roomA >= roomB ? counter.bucketA : counter.bucketB, now)
    if (slot >= 0) this.#write(slot, counter, now)
    return slot
  }

  #isFree(slot: number, now: number): boolean {
    return this.#views.tags[slot] === 0 || (this.#views.idleAt[slot] ?? 0) <= now
  }

  #roomIn(bucket: number, now: number): number {
    let room = 0
    for (let slot = bucket; slot < bucket + bucketSlots; slot += 1) if (this.#isFree(slot, now)) room += 1
    return room
  }

  /** One that was never used, before one whose counter rests: that may be asked for again. */
  #firstFree(bucket: number, now: number): number {
    const { tags, idleAt } = this.#views
    let resting = -1
    for (let slot = bucket; slot < bucket + bucketSlots; slot += 1) {
      if (tags[slot] === 0) return slot
      if (resting < 0 && (idleAt[slot] ?? 0) <= now) resting = slot
    }
    return resting
  }

  /** A thread that dies in here leaves a slot that nobody finds and that is idle soon. */
  #write(slot: number, counter: Counter, now: number): void {
    const { slots, words, tags, idleAt, groups, head } = this.#views
    if (tags[slot] !== 0) this.free(slot)
    idleAt[slot] = now + reservedMs
    const numbers = slot * slotNumbers
    slots[numbers + level] = 0
    slots[numbers + at] = now
    slots[numbers + pending] = 0
    slots[numbers + spent] = 0
    slots[numbers + rate] = 0
    slots[numbers + endsAt] = 0
    const base = slot * slotWords + hashWords
    words[base] = counter.word1
    words[base + 1] = counter.word2
    words[base + 2] = counter.word3
    words[slot * slotWords + groupWord] = (counter.groupCell << 1) | (counter.leased ? 1 : 0)
    if (counter.leased) this.#writeCard(slot, counter)
    Atomics.add(groups, counter.groupCell, 1)
    Atomics.add(head, headUsed, 1)
    tags[slot] = counter.tag
    counter.slot = slot
  }

  #writeCard(slot: number, counter: Counter): void {
    const { cards, names } = this.#views
    if (counter.key.length > maxNameBytes) throw new RangeError('the name of a counter is too long')
    cards.fill(0, slot * cardNumbers, slot * cardNumbers + cardUsedNumbers)
    cards[slot * cardNumbers + cardNameLength] = counter.key.length
    names.write(counter.key, slot * cardBytes + cardNameByte, 'latin1')
  }
}
