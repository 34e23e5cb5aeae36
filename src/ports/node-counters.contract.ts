/** What every NodeCounters guarantees, for the tests of its adapters. Each test has counters of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CounterTerms } from './central-counters.ts'
import { testDebts, testLeases } from './node-counters.contract-leases.ts'
import { ExactCounter } from './node-counters.contract-model.ts'
import {
  again,
  budget,
  heard,
  hourMs,
  leftOf,
  noon,
  type OpenCounters,
  partOf,
  rolling,
  slotsOf,
} from './node-counters.contract-parts.ts'
import { type CounterPart, type MoveOutcome, maxCounterParts, type NodeCounters } from './node-counters.ts'

/** Run the suite. */
export function nodeCountersContract(name: string, open: OpenCounters): void {
  testRates(name, open)
  testHolds(name, open)
  testMoves(name, open)
  testLeases(name, open)
  testDebts(name, open)
  testTable(name, open)
  testDeaths(name, open)
  testAgainstOracle(name, open)
}

function testRates(name: string, open: OpenCounters): void {
  test(`${name}: a rolling counter gives its burst at once, then its rate`, () => {
    const counters = open()(0)
    const take = (use: number, now: number): MoveOutcome =>
      counters.move([partOf(counters, ['rate', rolling(60)], { use })], now)
    assert.equal(take(60, noon), 'moved')
    assert.equal(take(1, noon), 'short')
    assert.equal(take(1, noon + 999), 'short')
    assert.equal(take(1, noon + 1000), 'moved')
    assert.equal(take(1, noon + 1999), 'short')
    assert.equal(take(2, noon + 3000), 'moved')
    assert.equal(take(61, noon + hourMs), 'short')
  })

  test(`${name}: a clock that is put back drains nothing and gives nothing`, () => {
    const counters = open()(0)
    const take = (now: number): MoveOutcome =>
      counters.move([partOf(counters, ['rate', rolling(60, 60_000, 1)])], now)
    assert.equal(take(noon), 'moved')
    assert.equal(take(noon - hourMs), 'short')
    assert.equal(take(noon + 500), 'short')
    assert.equal(take(noon + 1000), 'moved')
  })

  test(`${name}: a slow rate of large units loses nothing to rounding`, () => {
    const counters = open()(0)
    const terms = rolling(1e12, 31 * 24 * hourMs)
    let now = noon
    let used = 0
    for (let turn = 0; turn < 10_000; turn += 1) {
      now += 7
      const part = partOf(counters, ['money', terms], { use: 400_000, check: 'soft' })
      counters.move([part], now)
      if (!part.short) used += 400_000
    }
    // It drains from the first use on.
    const drained = (9999 * 7 * 1e12) / (31 * 24 * hourMs)
    assert.equal(used, 4e9)
    const left = leftOf(counters, partOf(counters, ['money', terms]), now)
    assert.ok(Math.abs(left - (1e12 - used + drained)) < 1, String(left))
  })

  test(`${name}: each period of a calendar has its amount; an edited amount counts at once`, () => {
    const counters = open()(0)
    const take = (terms: CounterTerms, use: number): MoveOutcome =>
      counters.move([partOf(counters, ['budget', terms], { use })], noon)
    assert.equal(take(budget(10), 10), 'moved')
    assert.equal(take(budget(10), 1), 'short')
    assert.equal(take(budget(12), 2), 'moved')
    assert.equal(take(budget(12, noon + hourMs), 12), 'moved')
  })

  test(`${name}: concurrency counts what is held, and only while it is`, () => {
    const counters = open()(0)
    const parts = [1, 2, 3].map(() => partOf(counters, ['streams', slotsOf(2)], { hold: 1 }))
    const outcomes = parts.map((part) => counters.move([part], noon))
    assert.deepEqual(outcomes, ['moved', 'moved', 'short'])
    const [first] = parts
    assert.ok(first !== undefined)
    again(counters, first, { hold: -1, use: 0 })
    assert.equal(
      counters.move([partOf(counters, ['streams', slotsOf(2)], { hold: 1 })], noon + hourMs),
      'moved',
    )
    assert.equal(
      counters.move([partOf(counters, ['streams', slotsOf(2)], { hold: 1 })], noon + hourMs),
      'short',
    )
  })
}

function testHolds(name: string, open: OpenCounters): void {
  test(`${name}: what is held does not drain; what was not used is let go of in full`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['tokens', rolling(100)], { hold: 100 })
    assert.equal(counters.move([part], noon), 'moved')
    assert.equal(counters.move([partOf(counters, ['tokens', rolling(100)])], noon + hourMs), 'short')
    again(counters, part, { hold: -100, use: 40, now: noon + hourMs })
    assert.deepEqual([part.held, part.ticket, part.left], [0, 0, 60])
    assert.equal(leftOf(counters, part, noon + hourMs + 6000), 70)
  })

  test(`${name}: a hold may be used in parts, and grow`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['tokens', budget(100)], { hold: 30 })
    counters.move([part], noon)
    again(counters, part, { hold: -10, use: 10 })
    assert.deepEqual([part.held, part.left], [20, 70])
    again(counters, part, { hold: 25, use: 0 })
    assert.deepEqual([part.held, part.left], [45, 45])
    again(counters, part, { hold: -45, use: 5 })
    assert.deepEqual([part.held, part.left], [0, 85])
  })

  test(`${name}: holds beyond the tickets are refused, and counted`, () => {
    const counters = open({ slots: 128, tickets: 4 })(0)
    const parts = [1, 2, 3, 4].map((each) => partOf(counters, [`c${each}`, slotsOf(9)], { hold: 1 }))
    const outcomes = parts.map((part) => counters.move([part], noon))
    assert.deepEqual(outcomes, ['moved', 'moved', 'moved', 'full'])
    assert.equal(counters.table.full, 1)
    for (const part of parts.slice(0, 3)) again(counters, part, { hold: -1, use: 0 })
    assert.equal(counters.move([partOf(counters, ['c4', slotsOf(9)], { hold: 1 })], noon), 'moved')
  })
}

function testMoves(name: string, open: OpenCounters): void {
  test(`${name}: all parts are done or none, and those that were short say so`, () => {
    const counters = open()(0)
    const parts = [
      partOf(counters, ['a', rolling(10)], { use: 3 }),
      partOf(counters, ['b', budget(2)], { use: 3 }),
      partOf(counters, ['c', slotsOf(5)], { hold: 1 }),
    ]
    assert.equal(counters.move(parts, noon), 'short')
    assert.deepEqual(
      parts.map((part) => part.short),
      [false, true, false],
    )
    assert.deepEqual(
      parts.map((part) => leftOf(counters, part)),
      [10, 2, 5],
    )
    assert.deepEqual(
      parts.map((part) => [part.held, part.ticket]),
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    )
  })

  test(`${name}: a soft part that is short is left out; a forced one is done`, () => {
    const counters = open()(0)
    const firm = partOf(counters, ['a', rolling(10)])
    const soft = partOf(counters, ['b', rolling(2)], { use: 3, check: 'soft' })
    const forced = partOf(counters, ['c', budget(2)], { use: 3, check: 'forced' })
    assert.equal(counters.move([firm, soft, forced], noon), 'moved')
    assert.deepEqual([firm.short, soft.short, forced.short], [false, true, true])
    assert.deepEqual([leftOf(counters, firm), leftOf(counters, soft), leftOf(counters, forced)], [9, 2, -1])
  })

  test(`${name}: counters are told apart by name, period, and whether they are leased`, () => {
    const counters = open()(0)
    counters.move([partOf(counters, ['a', rolling(10)], { use: 5 })], noon)
    assert.equal(counters.read(partOf(counters, ['A', rolling(10)]).counter, rolling(10), noon), null)
    const leased = partOf(counters, ['a', rolling(10)], { leased: true })
    assert.equal(counters.move([leased], noon), 'short')
  })

  test(`${name}: what one owner does the others see`, () => {
    const openFor = open()
    const [one, other] = [openFor(0), openFor(1)]
    one.move([partOf(one, ['a', rolling(10)], { use: 4 })], noon)
    other.move([partOf(other, ['a', rolling(10)], { use: 5 })], noon)
    assert.equal(leftOf(one, partOf(one, ['a', rolling(10)])), 1)
  })

  test(`${name}: what one owner heard of the number of nodes the others know`, () => {
    const openAs = open()
    const [one, other] = [openAs(0), openAs(1)]
    assert.equal(other.nodes, null)
    one.noteNodes(3)
    assert.equal(other.nodes, 3)
  })

  test(`${name}: a move has at most ${maxCounterParts} parts`, () => {
    const counters = open()(0)
    const parts = Array.from({ length: maxCounterParts }, (_, index) =>
      partOf(counters, [`part${index}`, rolling(1)]),
    )
    assert.equal(counters.move(parts, noon), 'moved')
    assert.throws(() => counters.move([...parts, partOf(counters, ['more', rolling(1)])], noon), RangeError)
  })

  test(`${name}: figures of a rule add up over all owners`, () => {
    const openFor = open()
    openFor(0).countFigure('rule', 'refused')
    openFor(1).countFigure('rule', 'refused')
    openFor(1).countFigure('rule', 'exceeded')
    assert.deepEqual(openFor(0).readFigures('rule'), { refused: 2, exceeded: 1, unavailable: 0 })
    assert.deepEqual(openFor(0).readFigures('other'), { refused: 0, exceeded: 0, unavailable: 0 })
  })
}

function testTable(name: string, open: OpenCounters): void {
  const fill = (counters: NodeCounters, count: number, group: string): number => {
    let refused = 0
    for (let index = 0; index < count; index += 1) {
      const outcome = counters.move([partOf(counters, [`user${index}`, budget(1)], { group })], noon)
      if (outcome === 'full') refused += 1
    }
    return refused
  }

  test(`${name}: three quarters of the slots can be used; a full table refuses, and counts it`, () => {
    const counters = open({ slots: 4096, tickets: 16 })(0)
    const groups = ['org1', 'org2', 'org3', 'org4', 'org5', 'org6']
    assert.equal(
      groups.reduce((refused, group) => refused + fill(counters, 512, group), 0),
      0,
    )
    assert.equal(counters.table.slotsUsed, 3072)
    const refused = fill(counters, 2000, 'org7')
    assert.ok(refused > 900, String(refused))
    assert.equal(counters.table.full, refused)
    // What is counted goes on being counted.
    assert.equal(counters.move([partOf(counters, ['user0', budget(1)], { group: 'org1' })], noon), 'short')
  })

  test(`${name}: one organization cannot take the last fifth of the table from the others`, () => {
    const counters = open({ slots: 4096, tickets: 16 })(0)
    fill(counters, 10_000, 'greedy')
    assert.ok(counters.table.slotsUsed <= 4096 * 0.8 + 1, String(counters.table.slotsUsed))
    assert.equal(fill(counters, 300, 'modest'), 0)
  })

  test(`${name}: a counter in which nothing is counted any more gives its slot to another`, () => {
    const counters = open({ slots: 128, tickets: 16 })(0)
    const openSlots = (now: number): number => {
      let moved = 0
      for (let index = 0; index < 128; index += 1) {
        const part = partOf(counters, [`user${index} ${now}`, rolling(60)], { group: `org${index % 8}` })
        if (counters.move([part], now) === 'moved') moved += 1
      }
      return moved
    }
    const first = openSlots(noon)
    assert.ok(first >= 96, String(first))
    // The looking itself keeps a slot for a second.
    assert.ok(openSlots(noon + 500) < 32)
    assert.ok(openSlots(noon + 2000) >= 96)
    counters.sweep(noon + 10_000, 1)
    assert.equal(counters.table.slotsUsed, 0)
  })

  test(`${name}: a slot is kept while it has holds, leases or debts`, () => {
    const counters = open({ slots: 128, tickets: 16 })(0)
    const held = partOf(counters, ['held', slotsOf(5)], { hold: 1 })
    const leased = partOf(counters, ['leased', budget(5)], { leased: true })
    const owing = partOf(counters, ['owing', budget(5)], { leased: true, check: 'forced' })
    counters.move([held, owing], noon)
    counters.credit(leased, { ...heard, units: 3 }, noon)
    counters.sweep(noon + 100 * hourMs, 1)
    assert.equal(counters.table.slotsUsed, 3)
    assert.equal(leftOf(counters, held), 4)
  })
}

function testDeaths(name: string, open: OpenCounters): void {
  test(`${name}: forgetting an owner lets go of its holds and keeps what was used`, () => {
    const openFor = open()
    const [one, other, third] = [openFor(0), openFor(1), openFor(2)]
    const mine = partOf(one, ['tokens', budget(100)], { hold: 30 })
    const theirs = partOf(other, ['tokens', budget(100)], { hold: 20 })
    const leased = partOf(one, ['slots', slotsOf(5)], { leased: true, hold: 2 })
    one.credit(leased, { ...heard, units: 3 }, noon)
    one.move([mine, leased], noon)
    other.move([theirs], noon)
    again(one, mine, { hold: -10, use: 10 })
    assert.equal(third.forget(0, noon), true)
    assert.equal(leftOf(third, partOf(third, ['tokens', budget(100)])), 70)
    assert.equal(third.readLease(leased.counter)?.balance, 3)
    assert.equal(third.forget(0, noon), true)
    assert.equal(leftOf(third, partOf(third, ['tokens', budget(100)])), 70)
    again(other, theirs, { hold: -20, use: 0 })
    assert.equal(leftOf(third, partOf(third, ['tokens', budget(100)])), 90)
  })

  test(`${name}: what counts as used at death is used once, here and out of a lease`, () => {
    const openFor = open()
    const [one, third] = [openFor(0), openFor(2)]
    const here = partOf(one, ['tokens', rolling(60)], { hold: 30, usedAtDeath: true })
    const leased = partOf(one, ['money', budget(100)], { leased: true, hold: 20, usedAtDeath: true })
    one.credit(leased, { ...heard, units: 50 }, noon)
    one.move([here, leased], noon)
    again(one, here, { hold: -10, use: 10 })
    for (const _ of [1, 2]) {
      assert.equal(third.forget(0, noon), true)
      assert.equal(leftOf(third, here), 30)
      assert.equal(third.read(here.counter, here.terms, noon)?.held, 0)
      assert.equal(third.readLease(leased.counter)?.balance, 30)
    }
    assert.deepEqual(
      third.collect(noon, 1000).map(({ spent }) => spent),
      [20],
    )
    // From then on it drains like anything else.
    assert.equal(leftOf(third, here, noon + 10_000), 40)
  })

  test(`${name}: the next thread of that number starts with all its tickets`, () => {
    const openFor = open({ slots: 128, tickets: 4 })
    const first = openFor(0)
    for (const each of [1, 2, 3]) first.move([partOf(first, [`c${each}`, slotsOf(1)], { hold: 1 })], noon)
    openFor(1).forget(0, noon)
    const next = openFor(0)
    for (const each of [1, 2, 3]) {
      assert.equal(next.move([partOf(next, [`c${each}`, slotsOf(1)], { hold: 1 })], noon), 'moved')
    }
  })
}

type Step = { readonly after: number; readonly hold: number; readonly end: number; readonly share: number }

function testAgainstOracle(name: string, open: OpenCounters): void {
  test(`${name}: property: decides as the exact model does, to a millionth of a unit`, () => {
    const terms = fc.record({
      amount: fc.integer({ min: 1, max: 1_000_000 }),
      windowMs: fc.integer({ min: 1000, max: 31 * 24 * hourMs }),
      burst: fc.integer({ min: 1, max: 1_000_000 }),
    })
    const step = fc.record({
      after: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(1_000_000)),
      hold: fc.nat(1_000_000),
      end: fc.nat(9),
      share: fc.double({ min: 0, max: 1.2, noNaN: true }),
    })
    fc.assert(
      fc.property(terms, fc.array(step, { maxLength: 60 }), (known, steps) => {
        runAgainstOracle(open({ slots: 128, tickets: 64 })(0), known, steps)
      }),
      { numRuns: 200 },
    )
  })
}

/** Exchanges that reserve, then end with what they used: some less, some more. */
function runAgainstOracle(
  counters: NodeCounters,
  known: { readonly amount: number; readonly windowMs: number; readonly burst: number },
  steps: readonly Step[],
): void {
  const model = new ExactCounter(known, noon)
  const terms: CounterTerms = { kind: 'rolling', ...known }
  const underWay: CounterPart[] = []
  let now = noon
  for (const step of steps) {
    now += step.after
    const ending = underWay.splice(step.end, 1)[0]
    if (ending !== undefined) {
      const used = Math.floor(ending.held * step.share)
      model.micros(now)
      model.move(-ending.held, used)
      again(counters, ending, { hold: -ending.held, use: used, now })
    }
    const hold = 1 + (step.hold % known.burst)
    const there = model.micros(now)
    const part = partOf(counters, ['rate', terms], { hold })
    const outcome = counters.move([part], now)
    const wanted = BigInt(hold) * 1_000_000n
    if (wanted <= there) assert.equal(outcome, 'moved', `${wanted} of ${there}`)
    if (wanted > there + 2n) assert.equal(outcome, 'short', `${wanted} of ${there}`)
    if (outcome !== 'moved') continue
    model.move(hold, 0)
    underWay.push(part)
  }
}
