/**
 * Leased counters: units come in from the central counters, and what became of them is told back. At all times
 *
 *   outstanding at the central counters = balance + pending + spent - own
 *
 * where `own` are units that the node granted itself while it could not reach them. Debt is what was spent beyond
 * what is outstanding and must be debited.
 */
import type { CounterTerms } from '../../ports/central-counters.ts'
import type {
  CounterPlace,
  LeaseCredit,
  LeaseReading,
  LeaseReport,
  NodeCounter,
} from '../../ports/node-counters.ts'
import {
  at,
  type CounterViews,
  cardCentralLeft,
  cardDryUnits,
  cardDryUntil,
  cardFetchUntil,
  cardHeard,
  cardKind,
  cardNumbers,
  cardOwn,
  cardOwnSinceHeard,
  cardResetAt,
  cardTerms,
  hashWords,
  level,
  pending,
  slotNumbers,
  slotWords,
  spent,
} from './layout.ts'
import type { ShardLocks } from './shard-locks.ts'
import { leaseIdleFrom } from './slot-state.ts'
import type { Counter, SlotTable } from './slot-table.ts'
import type { UndoRecord } from './undo-record.ts'

export interface CounterParts {
  readonly views: CounterViews
  readonly locks: ShardLocks
  readonly slots: SlotTable
  readonly undo: UndoRecord
}

const kinds = ['rolling', 'calendar', 'concurrency'] as const

interface Report extends LeaseReport {
  readonly slot: number
  readonly identity: readonly number[]
}

export class LeaseCards {
  readonly #views: CounterViews
  readonly #locks: ShardLocks
  readonly #slots: SlotTable
  readonly #undo: UndoRecord

  constructor({ views, locks, slots, undo }: CounterParts) {
    this.#views = views
    this.#locks = locks
    this.#slots = slots
    this.#undo = undo
  }

  read(counter: Counter): LeaseReading | null {
    const slot = this.#slots.find(counter)
    if (slot < 0) return null
    const card = slot * cardNumbers
    const { cards, slots } = this.#views
    return {
      balance: slots[slot * slotNumbers + level] ?? 0,
      centralLeft: cards[card + cardHeard] === 1 ? (cards[card + cardCentralLeft] ?? 0) : null,
      centralResetAt: cards[card + cardResetAt] ?? 0,
      dryUntil: cards[card + cardDryUntil] ?? 0,
      dryUnits: cards[card + cardDryUnits] ?? 0,
    }
  }

  claimFetch(counter: Counter, now: number, until: number): boolean {
    return (
      this.#within(counter, now, (slot) => {
        const place = slot * cardNumbers + cardFetchUntil
        if ((this.#views.cards[place] ?? 0) > now) return false
        this.#views.cards[place] = until
        return true
      }) ?? false
    )
  }

  credit({ counter, terms }: CounterPlace, credit: LeaseCredit, now: number): boolean {
    const done = this.#within(counter, now, (slot) => {
      const { cards, slots, idleAt } = this.#views
      const card = slot * cardNumbers
      const base = slot * slotNumbers
      cards[card + cardFetchUntil] = 0
      cards[card + cardDryUntil] = credit.dryUntil
      cards[card + cardDryUnits] = credit.dryUnits
      cards[card + cardCentralLeft] = credit.centralLeft
      cards[card + cardResetAt] = credit.centralResetAt
      cards[card + cardHeard] = 1
      // The central counters are back: what the node granted itself and did not use is void.
      const own = Math.min(cards[card + cardOwn] ?? 0, Math.max(0, slots[base + level] ?? 0))
      this.#undo.note(slot, 0)
      slots[base + level] = (slots[base + level] ?? 0) + credit.units - own
      this.writeTerms(slot, terms)
      idleAt[slot] = leaseIdleFrom(this.#views, slot, now)
      this.#undo.commit()
      cards[card + cardOwn] = (cards[card + cardOwn] ?? 0) - own
      cards[card + cardOwnSinceHeard] = 0
      return true
    })
    return done ?? false
  }

  grantShare({ counter, terms }: CounterPlace, share: number, now: number): boolean {
    const done = this.#within(counter, now, (slot) => {
      const { cards, slots, idleAt } = this.#views
      const card = slot * cardNumbers
      const more = share - (cards[card + cardOwnSinceHeard] ?? 0)
      if (more <= 0) return false
      cards[card + cardOwnSinceHeard] = share
      cards[card + cardOwn] = (cards[card + cardOwn] ?? 0) + more
      this.#undo.note(slot, 0)
      slots[slot * slotNumbers + level] = (slots[slot * slotNumbers + level] ?? 0) + more
      this.writeTerms(slot, terms)
      idleAt[slot] = leaseIdleFrom(this.#views, slot, now)
      this.#undo.commit()
      return true
    })
    return done ?? false
  }

  collect(now: number, idleMs: number): readonly LeaseReport[] {
    const { tags, idleAt, sizes, shards } = this.#views
    const reports: Report[] = []
    const shardSlots = sizes.slots / shards
    for (let shard = 0; shard < shards; shard += 1) {
      let isLocked = false
      for (let slot = shard * shardSlots; slot < (shard + 1) * shardSlots; slot += 1) {
        if (tags[slot] === 0 || idleAt[slot] !== Number.POSITIVE_INFINITY || !this.#slots.isLeased(slot))
          continue
        if (!isLocked && !this.#locks.lock(shard)) break
        isLocked = true
        const report = this.#reportOf(slot, now, idleMs)
        if (report !== null) reports.push(report)
      }
      if (isLocked) this.#locks.unlock(shard)
    }
    return reports
  }

  reported(report: LeaseReport, what: 'spent' | 'debt', now: number): void {
    const { slot, identity } = report as Report
    const { cards, slots, idleAt, shards, sizes } = this.#views
    const shard = Math.floor(slot / (sizes.slots / shards))
    if (!this.#locks.lock(shard)) return
    // While anything is to be reported the slot stays with its counter.
    if (this.#identityOf(slot).every((word, index) => word === identity[index])) {
      const base = slot * slotNumbers
      const card = slot * cardNumbers
      const units = report[what]
      const own = what === 'debt' ? Math.max(0, Math.min(cards[card + cardOwn] ?? 0, units)) : 0
      this.#undo.note(slot, 0)
      slots[base + spent] = (slots[base + spent] ?? 0) - units
      if (what === 'debt') slots[base + level] = (slots[base + level] ?? 0) + units - own
      idleAt[slot] = leaseIdleFrom(this.#views, slot, now)
      this.#undo.commit()
      cards[card + cardOwn] = (cards[card + cardOwn] ?? 0) - own
    }
    this.#locks.unlock(shard)
  }

  /** So that whoever reports knows what the counter is. */
  writeTerms(slot: number, terms: CounterTerms): void {
    const { cards } = this.#views
    const card = slot * cardNumbers
    cards[card + cardKind] = kinds.indexOf(terms.kind)
    cards[card + cardTerms] = terms.amount
    if (terms.kind === 'rolling') {
      cards[card + cardTerms + 1] = terms.windowMs
      cards[card + cardTerms + 2] = terms.burst
    } else if (terms.kind === 'calendar') {
      cards[card + cardTerms + 1] = terms.startsAt
      cards[card + cardTerms + 2] = terms.endsAt
    }
  }

  #readTerms(slot: number): CounterTerms {
    const { cards } = this.#views
    const card = slot * cardNumbers
    const kind = kinds[cards[card + cardKind] ?? 0] ?? 'rolling'
    const amount = cards[card + cardTerms] ?? 0
    const second = cards[card + cardTerms + 1] ?? 0
    const third = cards[card + cardTerms + 2] ?? 0
    if (kind === 'rolling') return { kind, amount, windowMs: second, burst: third }
    return kind === 'calendar' ? { kind, amount, startsAt: second, endsAt: third } : { kind, amount }
  }

  #reportOf(slot: number, now: number, idleMs: number): Report | null {
    const { cards, slots, idleAt } = this.#views
    const base = slot * slotNumbers
    const terms = this.#readTerms(slot)
    const balance = slots[base + level] ?? 0
    const used = slots[base + spent] ?? 0
    const own = cards[slot * cardNumbers + cardOwn] ?? 0
    const isUnused = now - (slots[base + at] ?? 0) >= idleMs
    // What the node granted itself is nothing to give back.
    const returned = isUnused ? Math.max(0, balance - own) : 0
    // What leases do not cover. Below 0: less was used than was reported before; that much is debited too much.
    const debt = Math.min(used, own + Math.max(0, -balance - (slots[base + pending] ?? 0)))
    if (used === 0 && returned === 0) return null
    const report = {
      key: this.#slots.nameOf(slot),
      terms,
      spent: used - debt,
      debt,
      returned,
      slot,
      identity: this.#identityOf(slot),
    }
    if (returned === 0) return report
    this.#undo.note(slot, 0)
    slots[base + level] = balance - returned
    idleAt[slot] = leaseIdleFrom(this.#views, slot, now)
    this.#undo.commit()
    return report
  }

  #identityOf(slot: number): number[] {
    const { tags, words } = this.#views
    const base = slot * slotWords + hashWords
    return [tags[slot] ?? 0, words[base] ?? 0, words[base + 1] ?? 0, words[base + 2] ?? 0]
  }

  /** Do something with the counter's slot under its lock; null: it could not be had. */
  #within(named: NodeCounter, now: number, act: (slot: number) => boolean): boolean | null {
    const counter = named as Counter
    if (!this.#locks.lock(counter.shard)) return null
    try {
      const slot = this.#slots.locate(counter, now)
      return slot < 0 ? null : act(slot)
    } finally {
      this.#locks.unlock(counter.shard)
    }
  }
}
