/**
 * Node counters in a SharedArrayBuffer (layout.ts): made once per process, opened by each thread under a number of
 * its own. A move locks the shards of its counters in order, looks at all, and only then changes any.
 */
import { randomFillSync } from 'node:crypto'
import type { CounterTerms } from '../../ports/central-counters.ts'
import {
  type CounterName,
  type CounterPart,
  type CounterPlace,
  type CounterReading,
  type CounterTableFigures,
  type LeaseCredit,
  type LeaseReading,
  type LeaseReport,
  type MoveOutcome,
  maxCounterParts,
  type NodeCounter,
  type NodeCounters,
  type RuleFigure,
} from '../../ports/node-counters.ts'
import { clearUpAfter } from './clear-up-after.ts'
import {
  at,
  bytesOf,
  type CounterSizes,
  type CounterViews,
  cardDryUnits,
  cardDryUntil,
  cardNumbers,
  endsAt,
  headBusy,
  headFull,
  headHashKey,
  headNodes,
  headOwners,
  headSlots,
  headTickets,
  headUsed,
  level,
  pending,
  rate,
  slotNumbers,
  spent,
  viewsOf,
} from './layout.ts'
import { LeaseCards } from './lease-cards.ts'
import { RuleFigureTable } from './rule-figure-table.ts'
import { ShardLocks } from './shard-locks.ts'
import { capacityOf, endOf, idleFrom, leaseIdleFrom, levelAt, rateOf, tolerance } from './slot-state.ts'
import { Counter, SlotTable } from './slot-table.ts'
import { TicketBook } from './ticket-book.ts'
import { UndoRecord } from './undo-record.ts'

/** Memory for counters, to be opened by every thread. */
export function createSharedCounters(sizes: CounterSizes): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytesOf(sizes, maxCounterParts))
  const head = new Int32Array(buffer)
  head[headSlots] = sizes.slots
  head[headOwners] = sizes.owners
  head[headTickets] = sizes.tickets
  // A view of shared memory cannot be filled from the system's source of randomness.
  head.set(randomFillSync(new Int32Array(4)), headHashKey)
  return buffer
}

/** @param owner number of the thread, below `owners`; nobody else uses it at the same time */
export function openSharedCounters(buffer: SharedArrayBuffer, owner: number): NodeCounters {
  const views = viewsOf(buffer, maxCounterParts)
  if (!Number.isInteger(owner) || owner < 0 || owner >= views.sizes.owners)
    throw new RangeError('no such owner')
  return new SharedCounters(views, owner)
}

class SharedCounters implements NodeCounters {
  readonly #views: CounterViews
  readonly #owner: number
  readonly #locks: ShardLocks
  readonly #slots: SlotTable
  readonly #tickets: TicketBook
  readonly #undo: UndoRecord
  readonly #leases: LeaseCards
  readonly #rules: RuleFigureTable
  // Of the move under way.
  readonly #shards = new Int32Array(maxCounterParts)
  readonly #places = new Int32Array(maxCounterParts)
  readonly #levels = new Float64Array(maxCounterParts)

  constructor(views: CounterViews, owner: number) {
    this.#views = views
    this.#owner = owner
    this.#locks = new ShardLocks(views.locks, owner)
    this.#slots = new SlotTable(views)
    this.#tickets = new TicketBook(views, owner)
    this.#undo = new UndoRecord(views, owner)
    this.#rules = new RuleFigureTable(views)
    this.#leases = new LeaseCards({ views, locks: this.#locks, slots: this.#slots, undo: this.#undo })
  }

  get table(): CounterTableFigures {
    const { head, sizes } = this.#views
    return {
      slots: sizes.slots,
      slotsUsed: Atomics.load(head, headUsed),
      full: Atomics.load(head, headFull) >>> 0,
      busy: Atomics.load(head, headBusy) >>> 0,
    }
  }

  get nodes(): number | null {
    const nodes = Atomics.load(this.#views.head, headNodes)
    return nodes > 0 ? nodes : null
  }

  noteNodes(nodes: number): void {
    Atomics.store(this.#views.head, headNodes, nodes)
  }

  counter(name: CounterName): NodeCounter {
    return new Counter(name, this.#views)
  }

  move(parts: readonly CounterPart[], now: number): MoveOutcome {
    if (parts.length > maxCounterParts) throw new RangeError('too many counters in one move')
    const shards = this.#sortShards(parts)
    if (!this.#locks.lockAll(this.#shards, shards)) {
      Atomics.add(this.#views.head, headBusy, 1)
      return 'busy'
    }
    try {
      const outcome = this.#look(parts, now)
      if (outcome === 'moved') this.#change(parts, now)
      else if (outcome === 'full') Atomics.add(this.#views.head, headFull, 1)
      return outcome
    } finally {
      this.#locks.unlockAll(this.#shards, shards)
    }
  }

  read(counter: NodeCounter, terms: CounterTerms, now: number): CounterReading | null {
    const slot = this.#slots.find(counter as Counter)
    if (slot < 0) return null
    const { slots } = this.#views
    const held = slots[slot * slotNumbers + pending] ?? 0
    if (counter.leased) return { left: slots[slot * slotNumbers + level] ?? 0, held, fullAt: null }
    const used = levelAt(this.#views, slot, { rate: rateOf(terms), now })
    const left = capacityOf(terms) - used - held
    if (terms.kind === 'concurrency') return { left, held, fullAt: null }
    return {
      left,
      held,
      fullAt: terms.kind === 'calendar' ? terms.endsAt : now + (used + held) / rateOf(terms),
    }
  }

  readLease(counter: NodeCounter): LeaseReading | null {
    return this.#leases.read(counter as Counter)
  }

  claimFetch(counter: NodeCounter, now: number, until: number): boolean {
    return this.#leases.claimFetch(counter as Counter, now, until)
  }

  credit(part: CounterPlace, credit: LeaseCredit, now: number): boolean {
    return this.#leases.credit(part, credit, now)
  }

  grantShare(part: CounterPlace, share: number, now: number): boolean {
    return this.#leases.grantShare(part, share, now)
  }

  collect(now: number, idleMs: number): readonly LeaseReport[] {
    return this.#leases.collect(now, idleMs)
  }

  reported(report: LeaseReport, what: 'spent' | 'debt', now: number): void {
    this.#leases.reported(report, what, now)
  }

  countFigure(ruleId: string, figure: RuleFigure): void {
    this.#rules.count(ruleId, figure)
  }

  readFigures(ruleId: string): Readonly<Record<RuleFigure, number>> {
    return this.#rules.read(ruleId)
  }

  sweep(now: number, share: number): void {
    const { tags, idleAt, sizes, shards } = this.#views
    const shardSlots = sizes.slots / shards
    const count = Math.max(1, Math.round(shards * share))
    for (let turn = 0; turn < count; turn += 1) {
      const shard = this.#nextSwept
      this.#nextSwept = (shard + 1) % shards
      if (!this.#locks.lock(shard)) continue
      for (let slot = shard * shardSlots; slot < (shard + 1) * shardSlots; slot += 1) {
        if (tags[slot] !== 0 && (idleAt[slot] ?? 0) <= now) this.#slots.free(slot)
      }
      this.#locks.unlock(shard)
    }
  }
  #nextSwept = 0

  forget(owner: number, now: number): boolean {
    if (owner === this.#owner) throw new RangeError('a thread that lives cannot be forgotten')
    return clearUpAfter(owner, now, {
      views: this.#views,
      locks: this.#locks,
      slots: this.#slots,
      undo: this.#undo,
    })
  }

  /** Shards of the parts, ascending, each once, into `#shards`; their count. */
  #sortShards(parts: readonly CounterPart[]): number {
    const shards = this.#shards
    let count = 0
    for (const part of parts) {
      const shard = (part.counter as Counter).shard
      let place = count
      while (place > 0 && (shards[place - 1] ?? 0) > shard) place -= 1
      if (place > 0 && shards[place - 1] === shard) continue
      for (let index = count; index > place; index -= 1) shards[index] = shards[index - 1] ?? 0
      shards[place] = shard
      count += 1
    }
    return count
  }

  /** Find every slot and see whether there is enough. */
  #look(parts: readonly CounterPart[], now: number): MoveOutcome {
    let isShort = false
    let holds = 0
    for (let index = 0; index < parts.length; index += 1) {
      const part = parts[index]
      if (part === undefined) continue
      const slot = this.#slots.locate(part.counter as Counter, now)
      if (slot < 0) return 'full'
      this.#places[index] = slot
      // Nobody lets go of more than they hold.
      if (part.hold < -part.held) part.hold = -part.held
      const left = this.#leftOf(part, index, now)
      const wanted = part.hold + part.use
      part.left = left
      part.short = wanted > 0 && wanted > left + tolerance && !this.#mayOwe(part, slot, now)
      if (part.short && part.check === 'firm') isShort = true
      if (part.hold > 0 && part.ticket === 0) holds += 1
    }
    if (isShort) return 'short'
    return this.#tickets.hasRoom(holds) ? 'moved' : 'full'
  }

  #leftOf(part: CounterPart, index: number, now: number): number {
    const slot = this.#places[index] ?? 0
    const { slots } = this.#views
    if (part.counter.leased) return slots[slot * slotNumbers + level] ?? 0
    const used = levelAt(this.#views, slot, { rate: rateOf(part.terms), now })
    this.#levels[index] = used
    return capacityOf(part.terms) - used - (slots[slot * slotNumbers + pending] ?? 0)
  }

  /** What is not firm goes into debt where a counter is leased, unless the units are known not to be there. */
  #mayOwe(part: CounterPart, slot: number, now: number): boolean {
    if (part.check === 'firm' || !part.counter.leased) return false
    const { cards } = this.#views
    if ((cards[slot * cardNumbers + cardDryUntil] ?? 0) <= now) return true
    const missing = part.hold + part.use - Math.max(0, part.left)
    return missing < (cards[slot * cardNumbers + cardDryUnits] ?? 0)
  }

  #change(parts: readonly CounterPart[], now: number): void {
    for (let index = 0; index < parts.length; index += 1) {
      const part = parts[index]
      if (part === undefined || (part.short && part.check === 'soft')) continue
      const slot = this.#places[index] ?? 0
      if (part.hold > 0 && part.ticket === 0) part.ticket = this.#tickets.take()
      this.#undo.note(slot, part.ticket)
      part.held = Math.max(0, part.held + part.hold)
      if (part.ticket !== 0)
        this.#tickets.write(part.ticket, slot, part.usedAtDeath === true ? -part.held : part.held)
      if (part.counter.leased) this.#changeLeased(part, slot, now)
      else this.#changeOwn(part, index, now)
    }
    this.#undo.commit()
    for (const part of parts) {
      if (part.ticket === 0 || part.held > 0) continue
      this.#tickets.giveBack(part.ticket)
      part.ticket = 0
    }
  }

  #changeOwn(part: CounterPart, index: number, now: number): void {
    const slot = this.#places[index] ?? 0
    const { slots, idleAt } = this.#views
    const base = slot * slotNumbers
    const used = Math.max(0, (this.#levels[index] ?? 0) + part.use)
    const held = Math.max(0, (slots[base + pending] ?? 0) + part.hold)
    slots[base + level] = used
    slots[base + at] = Math.max(slots[base + at] ?? 0, now)
    slots[base + pending] = held
    slots[base + rate] = rateOf(part.terms)
    slots[base + endsAt] = endOf(part.terms)
    idleAt[slot] = idleFrom(this.#views, slot, now)
    part.left = capacityOf(part.terms) - used - held
  }

  #changeLeased(part: CounterPart, slot: number, now: number): void {
    const { slots, idleAt } = this.#views
    const base = slot * slotNumbers
    const balance = (slots[base + level] ?? 0) - part.hold - part.use
    slots[base + level] = balance
    slots[base + at] = now
    slots[base + pending] = Math.max(0, (slots[base + pending] ?? 0) + part.hold)
    slots[base + spent] = (slots[base + spent] ?? 0) + part.use
    this.#leases.writeTerms(slot, part.terms)
    idleAt[slot] = leaseIdleFrom(this.#views, slot, now)
    part.left = balance
  }
}
