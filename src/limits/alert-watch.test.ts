/** When a limiter tells that a counter has passed a share of its amount. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryCounterStore } from '../adapters/memory/memory-central-counters.ts'
import type { LimitAlertSighting } from '../domain/limit-alert.ts'
import type { LimitRule } from '../domain/limits.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import { compileLimits } from './compile-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import {
  admitLater,
  admitNow,
  type Client,
  minute,
  noon,
  openNode,
  requestOf,
  reservationOf,
  ruleOf,
  thisMonth,
  usedOf,
} from './harness/samples.ts'
import { createLimiter } from './limiter.ts'

interface Watched extends Client {
  readonly time: FakeTime
  readonly seen: LimitAlertSighting[]
}

function watch(rule: LimitRule, central: ((time: FakeTime) => CentralCounters) | null = null): Watched {
  const time = new FakeTime(noon)
  const shared = central?.(time) ?? null
  const seen: LimitAlertSighting[] = []
  const limiter = createLimiter({
    counters: openNode()(0),
    calendarCounters: shared,
    rateCounters: shared,
    clock: time,
    timers: time,
    onAlert: (sighting) => seen.push(sighting),
  })
  return { limiter, limits: compileLimits([rule], [], []), time, seen }
}

const sharesOf = ({ seen }: Watched): readonly number[] => seen.map(({ threshold }) => threshold)
const budget = (own: Partial<LimitRule> = {}): LimitRule =>
  ruleOf({ name: 'calls', meter: 'requests', amount: 10, window: thisMonth, alertsAt: [0.9, 0.5], ...own })

test('each share of a budget is told once, when it is passed, although requests go on', () => {
  const watched = watch(budget({ mode: 'warn' }))
  const after: number[] = []
  for (let turn = 0; turn < 30; turn += 1) {
    admitNow(watched)
    after.push(watched.seen.length)
  }
  assert.deepEqual(after.slice(3, 10), [0, 1, 1, 1, 1, 2, 2])
  assert.equal(after.at(-1), 2)
  assert.deepEqual(watched.seen[0], {
    organizationId: 'org_a',
    limitId: 'ltm_calls',
    limitName: 'calls',
    meter: 'requests',
    per: [],
    subject: '',
    periodStartsAt: Date.UTC(2026, 0),
    threshold: 0.5,
    amount: 10,
    used: 5,
    at: noon,
  })
})

test('a step over several shares tells all of them; rules without shares tell nothing', () => {
  const watched = watch(budget({ meter: 'output-tokens', amount: 100 }))
  reservationOf(admitNow(watched, { outputTokens: 95 })).settle(usedOf({ outputTokens: 95 }))
  assert.deepEqual(sharesOf(watched), [0.9, 0.5])
  const quiet = watch(budget({ alertsAt: [] }))
  for (let turn = 0; turn < 10; turn += 1) admitNow(quiet)
  assert.deepEqual(sharesOf(quiet), [])
})

test('what is put aside and not used passes no share', () => {
  const watched = watch(budget({ meter: 'output-tokens', amount: 100 }))
  const reserved = reservationOf(admitNow(watched, { outputTokens: 99 }))
  assert.deepEqual(sharesOf(watched), [])
  reserved.settle(usedOf({ outputTokens: 49 }))
  assert.deepEqual(sharesOf(watched), [])
})

test('a calendar rule tells anew in the next period, each counter for itself', async () => {
  const watched = watch(budget({ per: ['user'], window: { ...thisMonth, period: 'minute' } }))
  for (const user of ['ada', 'bob', 'ada'])
    for (let turn = 0; turn < 3; turn += 1) admitNow(watched, { user })
  await watched.time.pass(60_000)
  for (let turn = 0; turn < 5; turn += 1) admitNow(watched, { user: 'ada' })
  assert.deepEqual(
    watched.seen.map(({ subject, periodStartsAt }) => [subject, periodStartsAt - noon]),
    [
      ['ada', 0],
      ['ada', 60_000],
    ],
  )
})

test('rates and concurrency tell anew in a later stretch, after use has fallen', async () => {
  const rate = watch(budget({ window: minute }))
  const use = (count: number): void => {
    for (let turn = 0; turn < count; turn += 1) admitNow(rate)
  }
  use(6)
  assert.deepEqual(sharesOf(rate), [0.5])
  // A quarter is there again: use has not fallen below half of the lowest share.
  await rate.time.pass(15_000)
  use(2)
  await rate.time.pass(45_000)
  use(6)
  assert.deepEqual(sharesOf(rate), [0.5, 0.5])
  const streams = watch(budget({ meter: 'concurrent-requests', window: null }))
  const fill = (): void => {
    const held = Array.from({ length: 10 }, () => reservationOf(admitNow(streams)))
    for (const each of held) each.settle(usedOf())
  }
  fill()
  fill()
  assert.deepEqual(sharesOf(streams), [0.5, 0.9])
  await streams.time.pass(60_000)
  fill()
  assert.deepEqual(sharesOf(streams), [0.5, 0.9, 0.5, 0.9])
})

test('of leased counters the share of all nodes is told', async () => {
  const rule = budget({ amount: 100 })
  const other: CentralCounters[] = []
  const watched = watch(rule, (time) => {
    const store = createMemoryCounterStore({ now: () => time.now(), ttlMs: 60_000 })
    other.push(store.open('other'))
    return store.open('own')
  })
  const { startsAt, endsAt } = { startsAt: Date.UTC(2026, 0), endsAt: Date.UTC(2026, 1) }
  const terms = { kind: 'calendar', amount: 100, startsAt, endsAt } as const
  await other[0]?.adjust([{ key: '{org_a}ltm_calls:', terms, units: 60 }])
  await admitLater(watched)
  assert.deepEqual(sharesOf(watched), [0.5])
  assert.equal(watched.seen[0]?.used, 61)
})

test('the name of a user is kept as a database can store it', () => {
  const watched = watch(budget({ per: ['user'], amount: 2 }))
  admitNow(watched, requestOf({ user: 'a\u0000\ud800' }))
  admitNow(watched, requestOf({ user: 'x'.repeat(5000) }))
  assert.equal(watched.seen[0]?.subject, 'a\ufffd\ufffd')
  assert.match(watched.seen[1]?.subject ?? '', /^#[\w-]{43}$/)
})
