/** A limiter on one node, with its own counters alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitRule, LimitTopUp, PlanSnapshot } from '../domain/limits.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import { compileLimits } from './compile-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import {
  admitNow,
  anyMatch,
  type Client,
  noon,
  openNode,
  planOf,
  reservationOf,
  ruleOf,
  thisMonth,
  usedOf,
} from './harness/samples.ts'
import { createLimiter } from './limiter.ts'
import type { LimitVerdict } from './verdict.ts'

interface Fixture extends Client {
  readonly time: FakeTime
  readonly counters: NodeCounters
}

function fixtureOf(
  rules: readonly LimitRule[],
  more: { plans?: readonly PlanSnapshot[]; topUps?: readonly LimitTopUp[]; slots?: number } = {},
): Fixture {
  const time = new FakeTime(noon)
  const counters = openNode({ slots: more.slots ?? 2048, tickets: 1024 })(0)
  const limiter = createLimiter({
    counters,
    calendarCounters: null,
    rateCounters: null,
    clock: time,
    timers: time,
  })
  return { time, counters, limiter, limits: compileLimits(rules, more.plans ?? [], more.topUps ?? []) }
}

const refusedBy = (verdict: LimitVerdict): string => (verdict.allowed ? '' : verdict.rule.name)
const remainingOf = (verdict: LimitVerdict): Record<string, number> => {
  const standings = verdict.allowed ? verdict.reservation.standings : verdict.standings
  return Object.fromEntries(standings.map(({ rule, remaining }) => [rule.name, remaining]))
}

test('where no rule applies nothing is counted', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'other', meter: 'requests', amount: 1, organizationId: 'org_b' }),
  ])
  for (let turn = 0; turn < 3; turn += 1) assert.equal(admitNow(fixture).allowed, true)
  assert.equal(fixture.counters.table.slotsUsed, 0)
})

test('a refusal by one rule debits none', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'rpm', meter: 'requests', amount: 10 }),
    ruleOf({ name: 'tpm', meter: 'total-tokens', amount: 100 }),
    ruleOf({ name: 'money', meter: 'cost', amount: 1200, window: thisMonth }),
    ruleOf({ name: 'calls', meter: 'concurrent-requests', amount: 5 }),
  ])
  const first = admitNow(fixture)
  assert.deepEqual(remainingOf(first), { rpm: 9, tpm: 60, money: 700, calls: 4 })
  const second = admitNow(fixture)
  const third = admitNow(fixture)
  assert.equal(refusedBy(third), 'money')
  assert.deepEqual(remainingOf(third), { rpm: 8, tpm: 20, money: 200, calls: 3 })
  reservationOf(first).settle(usedOf({ inputTokens: 10, outputTokens: 5, costMicroUsd: 100 }))
  reservationOf(second).settle(usedOf())
  assert.deepEqual(remainingOf(second), { calls: 5, money: 1100, rpm: 8, tpm: 85 })
})

test('8 concurrent clients against 100 tokens a minute use at most 100', async () => {
  const { time, ...client } = fixtureOf([ruleOf({ name: 'tpm', meter: 'total-tokens', amount: 100 })])
  let used = 0
  await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      for (let turn = 0; turn < 20; turn += 1) {
        await Promise.resolve()
        const verdict = admitNow(client, { inputTokens: 5, outputTokens: 20 })
        await Promise.resolve()
        if (!verdict.allowed) continue
        const outputTokens = (index * 7 + turn * 3) % 21
        verdict.reservation.settle(usedOf({ inputTokens: 5, outputTokens }))
        used += 5 + outputTokens
      }
    }),
  )
  assert.ok(used <= 100, `${used} tokens`)
  // Nothing is left stranded: what remains could not have held another request.
  assert.ok(used > 100 - 25, `${used} tokens`)
  time.stop()
})

test('what was reserved and not used is there again at once; what was used comes back with time', () => {
  const fixture = fixtureOf([ruleOf({ name: 'tpm', meter: 'output-tokens', amount: 60 })])
  const verdict = admitNow(fixture, { outputTokens: 60 })
  fixture.time.jump(30_000)
  assert.equal(refusedBy(admitNow(fixture, { outputTokens: 1 })), 'tpm')
  reservationOf(verdict).settle(usedOf({ outputTokens: 20 }))
  assert.deepEqual(remainingOf(verdict), { tpm: 40 })
  fixture.time.jump(5000)
  assert.deepEqual(remainingOf(admitNow(fixture, { outputTokens: 5 })), { tpm: 40 })
})

test('a settlement counts once', () => {
  const fixture = fixtureOf([ruleOf({ name: 'calls', meter: 'concurrent-requests', amount: 2 })])
  const first = reservationOf(admitNow(fixture))
  admitNow(fixture)
  first.settle(usedOf())
  first.settle(usedOf())
  assert.equal(admitNow(fixture).allowed, true)
  assert.equal(refusedBy(admitNow(fixture)), 'calls')
  assert.equal(first.progress(usedOf({ outputTokens: 9 })), null)
})

test('streams count as such only where they are', () => {
  const fixture = fixtureOf([ruleOf({ name: 'streams', meter: 'concurrent-streams', amount: 1 })])
  assert.equal(admitNow(fixture, { streamed: true }).allowed, true)
  assert.equal(admitNow(fixture, { streamed: false }).allowed, true)
  assert.equal(refusedBy(admitNow(fixture, { streamed: true })), 'streams')
})

test('a stream that needs more takes more, until a hard limit is reached', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'soft', meter: 'output-tokens', amount: 10, mode: 'shadow' }),
    ruleOf({ name: 'tpm', meter: 'output-tokens', amount: 100 }),
  ])
  const stream = reservationOf(admitNow(fixture, { outputTokens: 30 }))
  assert.equal(stream.progress(usedOf({ outputTokens: 29 })), null)
  assert.equal(stream.progress(usedOf({ outputTokens: 60 })), null)
  const other = reservationOf(admitNow(fixture, { outputTokens: 40 }))
  assert.equal(stream.progress(usedOf({ outputTokens: 61 }))?.name, 'tpm')
  other.settle(usedOf())
  assert.equal(stream.progress(usedOf({ outputTokens: 61 })), null)
  // What was used is counted, also beyond the limit: the next ones wait for it.
  stream.settle(usedOf({ outputTokens: 120 }))
  const next = admitNow(fixture, { outputTokens: 1 })
  assert.ok(!next.allowed)
  assert.equal(next.retryAfterMs, (21 / 100) * 60_000)
})

test('figures that turn out lower than counted on the way are put right', () => {
  const fixture = fixtureOf([ruleOf({ name: 'money', meter: 'cost', amount: 1000, window: thisMonth })])
  const stream = reservationOf(admitNow(fixture, { costMicroUsd: 100 }))
  stream.progress(usedOf({ costMicroUsd: 300 }))
  stream.settle(usedOf({ costMicroUsd: 120 }))
  assert.equal(stream.standings[0]?.remaining, 880)
})

test('shadow rules refuse nothing, are not shown, and are counted as they would have refused', () => {
  const fixture = fixtureOf([ruleOf({ name: 'rpm', meter: 'requests', amount: 2, mode: 'shadow' })])
  const exceeded = [1, 2, 3, 4].map(() => reservationOf(admitNow(fixture)).exceeded.length)
  assert.deepEqual(exceeded, [0, 0, 1, 1])
  assert.deepEqual(fixture.counters.readFigures('ltm_rpm'), { refused: 0, exceeded: 2, unavailable: 0 })
  assert.deepEqual(reservationOf(admitNow(fixture)).standings, [])
  // As if it had refused, so half a minute later one passes.
  fixture.time.jump(30_000)
  assert.equal(reservationOf(admitNow(fixture)).exceeded.length, 0)
})

test('a soft budget goes on counting beyond its amount', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'soft', meter: 'cost', amount: 800, window: thisMonth, mode: 'warn' }),
  ])
  const first = reservationOf(admitNow(fixture, { costMicroUsd: 500 }))
  first.settle(usedOf({ costMicroUsd: 500 }))
  const second = reservationOf(admitNow(fixture, { costMicroUsd: 500 }))
  assert.deepEqual(
    second.exceeded.map(({ rule }) => rule.name),
    ['soft'],
  )
  second.settle(usedOf({ costMicroUsd: 400 }))
  assert.equal(second.standings[0]?.remaining, 0)
  assert.equal(admitNow(fixture, { costMicroUsd: 1 }).allowed, true)
})

test('a refusal says when to come again, or that it is in vain', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'rpm', meter: 'requests', amount: 60, window: { kind: 'rolling', ms: 60_000, burst: 1 } }),
    ruleOf({ name: 'tpm', meter: 'output-tokens', amount: 100 }),
    ruleOf({ name: 'money', meter: 'cost', amount: 600, window: { ...thisMonth, period: 'hour' } }),
  ])
  const tooMuch = admitNow(fixture, { outputTokens: 101 })
  assert.ok(!tooMuch.allowed)
  assert.deepEqual([tooMuch.rule.name, tooMuch.cause, tooMuch.retryAfterMs], ['tpm', 'exceeded', null])
  admitNow(fixture, { costMicroUsd: 500 })
  const tooSoon = admitNow(fixture, { costMicroUsd: 1 })
  assert.ok(!tooSoon.allowed)
  assert.deepEqual([tooSoon.rule.name, tooSoon.retryAfterMs], ['rpm', 1000])
  const bothWays = admitNow(fixture, { costMicroUsd: 200 })
  assert.ok(!bothWays.allowed)
  assert.deepEqual([bothWays.rule.name, bothWays.retryAfterMs], ['money', 3_600_000])
  assert.deepEqual(fixture.counters.readFigures('ltm_money').refused, 1)
})

test('standings come tightest first, with top-ups and the time to their reset', () => {
  const topUps = [
    { id: 'top_1', organizationId: 'org_a', limitId: 'ltm_money', subject: 'app_a', amount: 250, at: noon },
    { id: 'top_2', organizationId: 'org_a', limitId: 'ltm_money', subject: 'app_b', amount: 999, at: noon },
    {
      id: 'top_3',
      organizationId: 'org_a',
      limitId: 'ltm_money',
      subject: 'app_a',
      amount: 999,
      at: noon - 4e9,
    },
  ]
  const money = ruleOf({
    name: 'money',
    meter: 'cost',
    amount: 750,
    window: { kind: 'calendar', period: 'day', timeZone: 'UTC' },
    per: ['application'],
  })
  const fixture = fixtureOf([money, ruleOf({ name: 'rpm', meter: 'requests', amount: 4 })], { topUps })
  const { standings } = reservationOf(admitNow(fixture))
  assert.deepEqual(
    standings.map(({ rule, amount, remaining, resetMs }) => [rule.name, amount, remaining, resetMs]),
    [
      ['money', 1000, 500, 43_200_000],
      ['rpm', 4, 3, 15_000],
    ],
  )
})

test('a new period starts with its whole amount; what began in the old one counts there', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'money', meter: 'cost', amount: 500, window: { ...thisMonth, period: 'hour' } }),
  ])
  const old = reservationOf(admitNow(fixture))
  fixture.time.jump(3_600_000)
  const next = reservationOf(admitNow(fixture))
  old.settle(usedOf({ costMicroUsd: 500 }))
  assert.equal(next.standings[0]?.remaining, 0)
  next.settle(usedOf())
  assert.equal(next.standings[0]?.remaining, 500)
})

test("a plan's rules count by application and product, unless they say otherwise", () => {
  const {
    organizationId: _,
    id: __,
    match: ___,
    ...terms
  } = ruleOf({ name: 'rpm', meter: 'requests', amount: 1 })
  const byUser = { ...terms, name: 'by-user', per: ['user' as const], amount: 2 }
  const fixture = fixtureOf([], { plans: [planOf({ limits: [terms, byUser] })] })
  assert.equal(admitNow(fixture, { planId: '' }).allowed, true)
  assert.equal(admitNow(fixture, { user: 'u' }).allowed, true)
  assert.equal(refusedBy(admitNow(fixture, { user: 'v' })), 'rpm')
  assert.equal(admitNow(fixture, { user: 'u', applicationId: 'app_b' }).allowed, true)
  assert.equal(refusedBy(admitNow(fixture, { user: 'u', productId: 'prd_b' })), 'by-user')
  assert.equal(admitNow(fixture, { user: 'w', productId: 'prd_b' }).allowed, true)
})

test('a full table refuses what it cannot count, and says that it cannot tell', () => {
  const rule = ruleOf({ name: 'by-user', meter: 'cost', amount: 1000, window: thisMonth, per: ['user'] })
  const fixture = fixtureOf([rule], { slots: 128 })
  const verdicts = Array.from({ length: 300 }, (_, index) => admitNow(fixture, { user: `user${index}` }))
  const refused = verdicts.filter((verdict) => !verdict.allowed)
  assert.ok(refused.length >= 300 - 128)
  assert.ok(refused.every((verdict) => !verdict.allowed && verdict.cause === 'unavailable'))
  assert.equal(fixture.counters.table.full, refused.length)
})

test('more rules than one move can count refuse instead of being left out', () => {
  const rules = Array.from({ length: 65 }, (_, index) =>
    ruleOf({ name: `rule${index}`, meter: 'requests', amount: 9 }),
  )
  const verdict = admitNow(fixtureOf(rules))
  assert.ok(!verdict.allowed && verdict.cause === 'unavailable')
})

test('a rule counts where all that it names matches', () => {
  const match = { ...anyMatch, teams: ['team-*'], models: ['gpt-4', 'claude-*'], users: ['bob'] }
  const fixture = fixtureOf([ruleOf({ name: 'rpm', meter: 'requests', amount: 1, match })])
  const own = { team: 'team-x', model: 'claude-3', user: 'bob' }
  assert.equal(admitNow(fixture, own).allowed, true)
  assert.equal(refusedBy(admitNow(fixture, { ...own, model: 'gpt-4' })), 'rpm')
  for (const other of [{ team: 'x' }, { model: 'gpt-40' }, { user: 'bobby' }, { user: '' }]) {
    assert.equal(admitNow(fixture, { ...own, ...other }).allowed, true)
  }
})
