import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileLimits } from './compile-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import {
  admitNow,
  type Client,
  noon,
  openNode,
  reservationOf,
  ruleOf,
  thisMonth,
  usedOf,
} from './harness/samples.ts'
import { createLimiter } from './limiter.ts'

const budget = 32_000_000
const cost = 500

function clientOf(hotFrom: number, counters = openNode()(0)): Client & { readonly time: FakeTime } {
  const time = new FakeTime(noon)
  const limiter = createLimiter({
    counters,
    calendarCounters: null,
    rateCounters: null,
    clock: time,
    timers: time,
    hotFrom,
  })
  const rule = ruleOf({ name: 'money', meter: 'cost', amount: budget, window: thisMonth })
  return { limiter, limits: compileLimits([rule], [], []), time }
}

/** Requests without a cap, and how many of them were told to take one. */
function openEnded(client: Client, mostTimes: number) {
  let capped = 0
  const bound = () => {
    capped += 1
    return usedOf({ costMicroUsd: cost })
  }
  const ask = () =>
    reservationOf(admitNow(client, { costMicroUsd: cost, isOpenEnded: true, mostTimes, bound }))
  return { ask, capped: () => capped }
}

test('answers without a cap run out of an allotment only while the budget bears the longest of all', () => {
  const client = clientOf(0)
  const { ask, capped } = openEnded(client, 10)
  ask()
  assert.equal(capped(), 1, 'the first is counted by itself')
  const bearable = Math.floor(budget / 64 / (10 * cost))
  const underWay = Array.from({ length: bearable - 1 }, ask)
  assert.equal(capped(), 1)
  for (const _ of [1, 2, 3]) ask()
  assert.ok(capped() >= 3, 'those beyond are held to a cap')
  const before = capped()
  for (const reservation of underWay) reservation.settle(usedOf({ costMicroUsd: cost }))
  ask()
  assert.equal(capped(), before, 'and none when the others have ended')
})

test('an answer that could use up the budget by itself always has a cap', () => {
  const client = clientOf(0)
  const { ask, capped } = openEnded(client, budget)
  for (let count = 1; count < 20; count += 1) {
    ask()
    assert.equal(capped(), count)
  }
})

test('a counter that is asked for rarely is counted one by one', async () => {
  const client = clientOf(20)
  for (let count = 1; count <= 60; count += 1) {
    const reservation = reservationOf(admitNow(client, { costMicroUsd: cost }))
    // What is put aside for others would be missing here.
    assert.equal(reservation.standings[0]?.remaining, budget - count * cost)
    reservation.settle(usedOf({ costMicroUsd: cost }))
    await client.time.pass(5)
  }
})

test('standings are at most a tenth of a second old, and soon exact when nothing is under way', async () => {
  const client = clientOf(0)
  let last = reservationOf(admitNow(client, { costMicroUsd: cost }))
  last.settle(usedOf({ costMicroUsd: cost }))
  for (let count = 2; count <= 100; count += 1) {
    last = reservationOf(admitNow(client, { costMicroUsd: cost }))
    last.settle(usedOf({ costMicroUsd: cost }))
    const told = last.standings[0]?.remaining ?? 0
    assert.ok(Math.abs(told - (budget - count * cost)) <= budget / 1024, `${told} told`)
  }
  await client.time.pass(100)
  assert.equal(last.standings[0]?.remaining, budget - 100 * cost)
})

test('a thread that ends in good order leaves nothing put aside', () => {
  const open = openNode()
  const [ending, other] = [clientOf(0, open(0)), clientOf(1000, open(1))]
  for (let count = 0; count < 10; count += 1)
    reservationOf(admitNow(ending, { costMicroUsd: cost })).settle(usedOf({ costMicroUsd: 100 }))
  ending.limiter.close()
  const seen = reservationOf(admitNow(other, { costMicroUsd: cost }))
  assert.equal(seen.standings[0]?.remaining, budget - 10 * 100 - cost)
})
