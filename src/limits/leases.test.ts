/** Limiters on several nodes that draw leases from central counters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitRule } from '../domain/limits.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import { type ClusterNode, createCluster, leaseTtlMs } from './harness/cluster.ts'
import {
  admitLater,
  admitNow,
  minute,
  noon,
  reservationOf,
  ruleOf,
  thisMonth,
  usedOf,
} from './harness/samples.ts'

const january: CounterTerms = {
  kind: 'calendar',
  amount: 100_000,
  startsAt: Date.UTC(2026, 0),
  endsAt: Date.UTC(2026, 1),
}
const moneyKey = '{org_a}ltm_money:'
const budgetOf = (own: Partial<LimitRule> = {}): LimitRule =>
  ruleOf({ name: 'money', meter: 'cost', amount: 100_000, window: thisMonth, ...own })

/** Admit, use `cost`, settle. */
async function spend(node: ClusterNode, cost: number, reserved = cost): Promise<boolean> {
  const verdict = await admitLater(node, { costMicroUsd: reserved })
  if (!verdict.allowed) return false
  verdict.reservation.settle(usedOf({ costMicroUsd: cost }))
  return true
}

test('a budget is spent from leases: one call for many exchanges, and every unit is told', async () => {
  const { time, start, usedOf: centralUsed } = createCluster([budgetOf()])
  const node = start('a')
  let spent = 0
  for (let turn = 0; turn < 1000; turn += 1) {
    await time.pass(10)
    assert.ok(await spend(node, 50 + (turn % 7), 80))
    spent += 50 + (turn % 7)
  }
  // Ten seconds: 40 flushes, 10 renewals, and a lease of 2,000 for about every 30 exchanges.
  assert.ok(node.line.calls < 110, `${node.line.calls} calls`)
  await time.pass(3000)
  assert.equal(await centralUsed(moneyKey, january), spent)
})

test('leases are fetched ahead: after the first exchange none waits', async () => {
  const { time, start } = createCluster([budgetOf()])
  const node = start('a')
  assert.ok(await spend(node, 100))
  await time.pass(1)
  for (let turn = 0; turn < 500; turn += 1) {
    // Throws where the verdict does not come in the same tick.
    reservationOf(admitNow(node, { costMicroUsd: 100 })).settle(usedOf({ costMicroUsd: 100 }))
    await time.pass(5)
  }
})

test('nodes that share a budget spend all of it and no more, also its last units', async () => {
  const { time, start, usedOf: centralUsed } = createCluster([budgetOf()])
  const nodes = ['a', 'b', 'c'].map((name) => start(name))
  let spent = 0
  let refusals = 0
  for (let turn = 0; turn < 4000 && refusals < 60; turn += 1) {
    const node = nodes[turn % 3]
    assert.ok(node !== undefined)
    if (await spend(node, 97)) spent += 97
    else {
      refusals += 1
      await time.pass(300)
    }
  }
  assert.ok(spent <= 100_000, `${spent}`)
  assert.ok(spent > 100_000 - 97, `${spent}`)
  await time.pass(5000)
  assert.equal(await centralUsed(moneyKey, january), spent)
})

test('when a budget is used up the refusal says until when, and the store is not asked for each', async () => {
  const { time, start } = createCluster([budgetOf()])
  const node = start('a')
  assert.ok(await spend(node, 100_000))
  await time.pass(2000)
  const calls = node.line.calls
  for (let turn = 0; turn < 200; turn += 1) {
    const verdict = await admitLater(node, { costMicroUsd: 100 })
    assert.ok(!verdict.allowed && verdict.cause === 'exceeded')
    assert.equal(verdict.retryAfterMs, january.endsAt - time.now())
    await time.pass(1)
  }
  assert.ok(node.line.calls - calls <= 4)
})

test('a node that dies costs a budget at most what it had leased', async () => {
  const { time, start, usedOf: centralUsed } = createCluster([budgetOf()])
  const [dying, other] = [start('a'), start('b')]
  for (let turn = 0; turn < 10; turn += 1) assert.ok(await spend(dying, 100))
  dying.kill()
  await time.pass(2 * leaseTtlMs)
  assert.ok(await spend(other, 100))
  await time.pass(3000)
  const lost = (await centralUsed(moneyKey, january)) - 1100
  assert.ok(lost >= 0 && lost <= 2000, `${lost} lost`)
})

test('without the store a budget goes by its rule: closed refuses, open counts on, local-share has its share', async () => {
  for (const [onStoreLoss, expected] of [
    ['closed', 0],
    ['open', 1000],
    ['local-share', 490],
  ] as const) {
    const { time, start, usedOf: centralUsed } = createCluster([budgetOf({ onStoreLoss })])
    const [node, other] = [start('a'), start('b')]
    assert.ok(await spend(other, 100))
    assert.ok(await spend(node, 100))
    await time.pass(3000)
    node.line.isDown = true
    let served = 0
    for (let turn = 0; turn < 1000; turn += 1) if (await spend(node, 100)) served += 1
    // Nothing was left of the lease. 99,800 were left of the budget when it was heard of last, less a first lease.
    assert.ok(Math.abs(served - expected) <= 10, `${onStoreLoss}: ${served} served`)
    assert.ok(node.line.calls < 60, 'a store that is down is not stormed')
    node.line.isDown = false
    await time.pass(10_000)
    assert.equal(await centralUsed(moneyKey, january), Math.min(100_000, 200 + served * 100), onStoreLoss)
    const figures = node.counters.readFigures('ltm_money')
    assert.equal(figures.unavailable > 0, true)
  }
})

test('a node that starts while the store is lost has no share of a budget, but serves rates', async () => {
  const rate = ruleOf({ name: 'rpm', meter: 'requests', amount: 600 })
  const { start } = createCluster([budgetOf({ onStoreLoss: 'local-share' }), rate])
  const node = start('a')
  node.line.isDown = true
  assert.equal(await spend(node, 100), false)
  const other = createCluster([rate]).start('b')
  other.line.isDown = true
  assert.equal((await admitLater(other)).allowed, true)
})

test('no exchange waits for a store that is down: one finds out, the others are answered at once', async () => {
  const { time, start } = createCluster([budgetOf({ onStoreLoss: 'closed' })])
  const node = start('a')
  node.line.isDown = true
  const first = await admitLater(node, { costMicroUsd: 1 })
  assert.ok(!first.allowed && first.cause === 'unavailable')
  const second = admitNow(node, { costMicroUsd: 1 })
  assert.ok(!second.allowed && second.cause === 'unavailable' && second.retryAfterMs === 1000)
  node.line.isDown = false
  await time.pass(1000)
  assert.ok(await spend(node, 1))
})

test('a call without an answer counts as lost; a lease that comes late is still good', async () => {
  const { time, start } = createCluster([budgetOf({ onStoreLoss: 'closed' })])
  const node = start('a')
  node.line.losesNext = true
  assert.equal(await spend(node, 100), false)
  assert.ok(node.line.unsure >= 100)
  await time.pass(1000)
  assert.ok(await spend(node, 100))
})

test('rates of several nodes come to one rate', async () => {
  const rule = ruleOf({ name: 'rpm', meter: 'requests', amount: 600, window: { ...minute, burst: 100 } })
  const { time, start } = createCluster([rule])
  const nodes = ['a', 'b', 'c'].map((name) => start(name))
  let served = 0
  for (let turn = 0; turn < 600; turn += 1) {
    for (const node of nodes) if ((await admitLater(node)).allowed) served += 1
    await time.pass(50)
  }
  // 30 seconds: burst 100 and 300 of the rate; 2 % of the amount may be on its way among the nodes.
  assert.ok(served <= 400 + 12 && served >= 400 - 16, `${served} served`)
})

test('without the store a rate goes on with a share of the node', async () => {
  const rule = ruleOf({ name: 'rpm', meter: 'requests', amount: 600, window: { ...minute, burst: 60 } })
  const { time, start } = createCluster([rule])
  const nodes = ['a', 'b', 'c'].map((name) => start(name))
  for (const node of nodes) await admitLater(node)
  await time.pass(3000)
  // So that each knows of the others.
  for (const node of nodes) await admitLater(node)
  for (const node of nodes) node.line.isDown = true
  let served = 0
  for (let turn = 0; turn < 300; turn += 1) {
    for (const node of nodes) if ((await admitLater(node)).allowed) served += 1
    await time.pass(100)
  }
  // 30 seconds of 10 a second, a burst of 20 on each node, and what was left of the leases.
  assert.ok(served >= 300 && served <= 360 + 3 * 12, `${served} served`)
})

test('concurrency is shared, and comes back from a node that dies', async () => {
  const { time, start } = createCluster([ruleOf({ name: 'calls', meter: 'concurrent-requests', amount: 5 })])
  const [one, other] = [start('a'), start('b')]
  const held = await Promise.all([1, 2, 3].map(() => admitLater(one)))
  assert.ok(held.every(({ allowed }) => allowed))
  const others = await Promise.all([1, 2, 3, 4].map(() => admitLater(other)))
  assert.equal(others.filter(({ allowed }) => allowed).length, 2)
  const [first] = held
  assert.ok(first !== undefined)
  reservationOf(first).settle(usedOf())
  await time.pass(3000)
  assert.equal((await admitLater(other)).allowed, true)
  await time.pass(2000)
  assert.equal((await admitLater(other)).allowed, false)
  one.kill()
  await time.pass(leaseTtlMs + 2000)
  assert.equal((await admitLater(other)).allowed, true)
})

test('soft rules never wait for the store, and know when they are exceeded', async () => {
  const rule = budgetOf({ mode: 'shadow', amount: 1000 })
  const { time, start } = createCluster([rule])
  const node = start('a')
  const exceeded: number[] = []
  for (let turn = 0; turn < 16; turn += 1) {
    const reservation = reservationOf(admitNow(node, { costMicroUsd: 100 }))
    exceeded.push(reservation.exceeded.length)
    reservation.settle(usedOf({ costMicroUsd: 100 }))
    await time.pass(10)
  }
  assert.deepEqual(exceeded.slice(0, 10), new Array(10).fill(0))
  assert.ok(
    exceeded.slice(12).every((count) => count === 1),
    exceeded.join(' '),
  )
})

test('what stays of a node that ends in order goes back to the others', async () => {
  const { time, start, usedOf: centralUsed } = createCluster([budgetOf()])
  const node = start('a')
  assert.ok(await spend(node, 100))
  await time.pass(1)
  assert.equal(await centralUsed(moneyKey, january), 2100)
  assert.equal(await node.keeper.close(), true)
  assert.equal(await centralUsed(moneyKey, january), 100)
  time.stop()
})

test('an exchange of the old month is settled in the old month', async () => {
  const { time, start, usedOf: centralUsed } = createCluster([budgetOf()])
  const node = start('a')
  time.jump(january.endsAt - noon - 1000)
  const verdict = await admitLater(node, { costMicroUsd: 700 })
  await time.pass(2000)
  assert.ok(await spend(node, 50))
  reservationOf(verdict).settle(usedOf({ costMicroUsd: 600 }))
  await time.pass(3000)
  assert.equal(await centralUsed(moneyKey, january), 600)
  const february = { ...january, startsAt: january.endsAt, endsAt: Date.UTC(2026, 2) }
  assert.equal(await centralUsed(moneyKey, february), 50)
})

test('a stream draws on its budget as it goes, and learns within a step that it is used up', async () => {
  const { time, start, usedOf: centralUsed } = createCluster([budgetOf()])
  const node = start('a')
  const stream = reservationOf(await admitLater(node, { costMicroUsd: 500 }))
  let used = 0
  let ended = false
  while (!ended && used < 120_000) {
    used += 250
    ended = stream.progress(usedOf({ costMicroUsd: used })) !== null
    await time.pass(5)
  }
  stream.settle(usedOf({ costMicroUsd: used }))
  // What it asked for at first, it may owe while more is fetched.
  assert.ok(ended && used > 100_000 && used <= 100_000 + 500 + 250, `${used}`)
  await time.pass(5000)
  // The store counts what was used, also beyond the amount: raised by that much, nothing is left.
  assert.equal(await centralUsed(moneyKey, { ...january, amount: used }), used)
  assert.equal(await centralUsed(moneyKey, { ...january, amount: used + 1 }), used)
})

test('streams of one lease that use less than they reserved leave the rest to others at once', async () => {
  const { time, start } = createCluster([budgetOf({ amount: 1000 })])
  const node = start('a')
  const first = reservationOf(await admitLater(node, { costMicroUsd: 900 }))
  assert.equal((await admitLater(node, { costMicroUsd: 200 })).allowed, false)
  first.settle(usedOf({ costMicroUsd: 100 }))
  assert.equal((await admitLater(node, { costMicroUsd: 800 })).allowed, true)
  time.stop()
})
