/** The part of the contract of NodeCounters that is about leased counters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  again,
  budget,
  heard,
  noon,
  type OpenCounters,
  partOf,
  slotsOf,
} from './node-counters.contract-parts.ts'

export function testLeases(name: string, open: OpenCounters): void {
  test(`${name}: a leased counter spends what was credited, and no more`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['money', budget(100)], { leased: true, use: 4 })
    assert.equal(counters.move([part], noon), 'short')
    assert.ok(counters.credit(part, { ...heard, units: 10, centralLeft: 90 }, noon))
    assert.equal(counters.move([part], noon), 'moved')
    assert.equal(counters.move([part], noon), 'moved')
    assert.equal(counters.move([part], noon), 'short')
    assert.equal(counters.readLease(part.counter)?.balance, 2)
    assert.equal(counters.readLease(part.counter)?.centralLeft, 90)
  })

  test(`${name}: spent units are told until they are reported; unused ones are taken out once`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['money', budget(100)], { leased: true, use: 4 })
    counters.credit(part, { ...heard, units: 10 }, noon)
    counters.move([part], noon)
    const [first] = counters.collect(noon, 1000)
    assert.ok(first !== undefined)
    assert.deepEqual(first.terms, budget(100))
    assert.deepEqual([first.key, first.spent, first.debt, first.returned], ['{org}money', 4, 0, 0])
    const [second] = counters.collect(noon + 1000, 1000)
    assert.ok(second !== undefined)
    assert.deepEqual([second.spent, second.returned], [4, 6])
    counters.reported(second, 'spent', noon)
    assert.deepEqual(counters.collect(noon + 2000, 1000), [])
    assert.equal(counters.move([part], noon), 'short')
  })

  test(`${name}: a held unit of a lease is neither spent nor unused until it is settled`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['slots', slotsOf(10)], { leased: true, hold: 1 })
    counters.credit(part, { ...heard, units: 1 }, noon)
    counters.move([part], noon)
    assert.deepEqual(counters.collect(noon + 5000, 1000), [])
    again(counters, part, { hold: -1, use: 0, now: noon + 5000 })
    const [report] = counters.collect(noon + 6000, 1000)
    assert.deepEqual([report?.spent, report?.returned], [0, 1])
  })

  test(`${name}: one caller fetches a lease ahead, until it has come or the time is over`, () => {
    const openFor = open()
    const [one, other] = [openFor(0), openFor(1)]
    const part = partOf(one, ['money', budget(100)], { leased: true })
    assert.equal(one.claimFetch(part.counter, noon, noon + 500), true)
    assert.equal(other.claimFetch(part.counter, noon, noon + 500), false)
    one.credit(part, { ...heard, units: 1 }, noon)
    assert.equal(other.claimFetch(part.counter, noon, noon + 500), true)
    assert.equal(one.claimFetch(part.counter, noon + 500, noon + 1000), true)
  })
}

export function testDebts(name: string, open: OpenCounters): void {
  test(`${name}: what was used beyond the lease is a debt, and void once it is debited`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['money', budget(100)], { leased: true, use: 15, check: 'forced' })
    counters.credit(part, { ...heard, units: 10 }, noon)
    counters.move([part], noon)
    const [report] = counters.collect(noon, 1000)
    assert.ok(report !== undefined)
    assert.deepEqual([report.spent, report.debt], [10, 5])
    // A lease that comes in between changes neither.
    counters.credit(part, { ...heard, units: 20 }, noon)
    counters.reported(report, 'spent', noon)
    counters.reported(report, 'debt', noon)
    assert.equal(counters.readLease(part.counter)?.balance, 20)
    assert.deepEqual(counters.collect(noon, 1000), [])
  })

  test(`${name}: what is not firm owes, unless the units are known not to be there`, () => {
    const counters = open()(0)
    const soft = partOf(counters, ['money', budget(100)], { leased: true, use: 5, check: 'soft' })
    assert.equal(counters.move([soft], noon), 'moved')
    assert.deepEqual([soft.short, soft.left], [false, -5])
    counters.credit(soft, { ...heard, units: 0, dryUntil: noon + 1000, dryUnits: 3 }, noon)
    assert.equal(counters.move([soft], noon), 'moved')
    assert.deepEqual([soft.short, soft.left], [true, -5])
  })

  test(`${name}: a share that the node granted itself is debited as far as it was used`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['money', budget(100)], { leased: true, use: 8 })
    assert.equal(counters.grantShare(part, 20, noon), true)
    assert.equal(counters.grantShare(part, 20, noon), false)
    counters.move([part], noon)
    // The store is back: the unused rest is void, the lease is good.
    counters.credit(part, { ...heard, units: 10 }, noon)
    assert.equal(counters.readLease(part.counter)?.balance, 10)
    const [report] = counters.collect(noon, 1000)
    assert.ok(report !== undefined)
    assert.deepEqual([report.spent, report.debt], [0, 8])
    counters.reported(report, 'debt', noon)
    assert.equal(counters.readLease(part.counter)?.balance, 10)
    assert.equal(counters.grantShare(part, 20, noon), true)
  })

  test(`${name}: what was counted too many is given back as a debt below nothing`, () => {
    const counters = open()(0)
    const part = partOf(counters, ['money', budget(100)], { leased: true, use: 8 })
    counters.credit(part, { ...heard, units: 10 }, noon)
    counters.move([part], noon)
    const [first] = counters.collect(noon, 1000)
    assert.ok(first !== undefined)
    counters.reported(first, 'spent', noon)
    again(counters, part, { hold: 0, use: -3 })
    const [second] = counters.collect(noon, 1000)
    assert.ok(second !== undefined)
    assert.deepEqual([second.spent, second.debt], [0, -3])
    counters.reported(second, 'debt', noon)
    assert.equal(counters.readLease(part.counter)?.balance, 2)
  })
}
