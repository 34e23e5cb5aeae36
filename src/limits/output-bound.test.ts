/** Answers whose length is open, under hard budgets that several nodes share. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitRule } from '../domain/limits.ts'
import { type ClusterNode, createCluster } from './harness/cluster.ts'
import { admitLater, minute, ruleOf, thisMonth, usedOf } from './harness/samples.ts'
import type { BudgetRoom, LimitActual } from './limit-request.ts'
import type { LimitVerdict } from './verdict.ts'

const amount = 100_000
const most = 16_000
const least = 500
const budget = ruleOf({ name: 'budget', meter: 'output-tokens', amount, window: thisMonth })

/** Ask for an answer of open length; `rooms` are those that were shown at each look. */
async function askOpen(
  node: ClusterNode,
  rooms: (readonly BudgetRoom[])[] = [],
): Promise<{ readonly verdict: LimitVerdict; readonly put: number }> {
  let put = 0
  const bound = (shown: readonly BudgetRoom[]): LimitActual => {
    rooms.push(shown)
    put = shown.length === 0 ? least : most
    return usedOf({ outputTokens: put })
  }
  const verdict = await admitLater(node, { outputTokens: least, isOpenEnded: true, bound })
  return { verdict, put }
}

function start(rules: readonly LimitRule[]): { readonly first: ClusterNode; readonly second: ClusterNode } {
  const cluster = createCluster(rules)
  return { first: cluster.start('first'), second: cluster.start('second') }
}

test('what is shown is what the budget has, not what this node has leased of it', async () => {
  const { first } = start([budget])
  await askOpen(first)
  const rooms: (readonly BudgetRoom[])[] = []
  const { put } = await askOpen(first, rooms)
  assert.equal(put, most)
  assert.deepEqual(rooms[0], [{ meter: 'output-tokens', left: amount - most }])
})

test('where others have used it up meanwhile, the answer does with the least before it is refused', async () => {
  const { first, second } = start([budget])
  const rest = 1000
  const taken = await admitLater(first, { outputTokens: amount - rest })
  assert.ok(taken.allowed)
  // The second node has heard nothing of it yet.
  const { verdict, put } = await askOpen(second)
  assert.deepEqual([verdict.allowed, put], [true, least])
  await askOpen(second)
  assert.equal((await askOpen(second)).verdict.allowed, false)
})

test('rules that refill put aside what is expected, and an answer with a cap of its own is not asked about', async () => {
  const pace = ruleOf({ name: 'pace', meter: 'output-tokens', amount: 2 * least, window: minute })
  const { first } = start([budget, pace])
  assert.equal((await askOpen(first)).verdict.allowed, true)
  assert.equal((await askOpen(first)).verdict.allowed, true)
  const third = (await askOpen(first)).verdict
  assert.ok(!third.allowed && third.rule.name === 'pace')
  const bound = (): LimitActual => assert.fail('it has a cap')
  await admitLater(start([budget]).first, { outputTokens: 10, bound })
  const rooms: (readonly BudgetRoom[])[] = []
  await askOpen(start([{ ...budget, mode: 'warn' }]).first, rooms)
  assert.deepEqual(rooms, [])
})
