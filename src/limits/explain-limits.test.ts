import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileLimits } from './compile-limits.ts'
import { explainLimits, limitCountersOf, readNodeStanding } from './explain-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import {
  admitNow,
  anyMatch,
  noon,
  openNode,
  planOf,
  requestOf,
  ruleOf,
  thisMonth,
} from './harness/samples.ts'
import { createLimiter } from './limiter.ts'

const startOfFebruary = Date.UTC(2026, 1)
const expected = [
  {
    name: 'money',
    mode: 'enforce',
    applies: true,
    mismatches: [],
    subject: 'app_a',
    key: '{org_a}ltm_money:app_a',
    amount: 1500,
    remaining: 1000,
    resetMs: startOfFebruary - noon,
  },
  {
    name: 'gpt',
    mode: 'enforce',
    applies: false,
    mismatches: ['users', 'models'],
    subject: '',
    key: '{org_a}ltm_gpt:',
    amount: 5,
    remaining: null,
    resetMs: null,
  },
  {
    name: 'streams',
    mode: 'shadow',
    applies: false,
    mismatches: ['streams'],
    subject: '',
    key: '{org_a}ltm_streams:',
    amount: 5,
    remaining: null,
    resetMs: null,
  },
  {
    name: 'rpm',
    mode: 'enforce',
    applies: true,
    mismatches: [],
    subject: 'app_a|prd_a',
    key: '{org_a}plan_a/rpm:app_a|prd_a',
    amount: 60,
    remaining: 59,
    resetMs: 1000,
  },
]

test('every rule in reach is explained: where it counts, how it stands, or why it does not apply', () => {
  const counters = openNode()(0)
  const time = new FakeTime(noon)
  const limiter = createLimiter({
    counters,
    calendarCounters: null,
    rateCounters: null,
    clock: time,
    timers: time,
  })
  const limits = compileLimits(
    [
      ruleOf({ name: 'money', meter: 'cost', amount: 1000, window: thisMonth, per: ['application'] }),
      ruleOf({
        name: 'gpt',
        meter: 'requests',
        amount: 5,
        match: { ...anyMatch, models: ['gpt-*'], users: ['x'] },
      }),
      ruleOf({ name: 'streams', meter: 'concurrent-streams', amount: 5, mode: 'shadow' }),
      ruleOf({ name: 'foreign', meter: 'requests', amount: 5, organizationId: 'org_b' }),
    ],
    [planOf({ limits: [ruleOf({ name: 'rpm', meter: 'requests', amount: 60 })] })],
    [{ id: 't', organizationId: 'org_a', limitId: 'ltm_money', subject: 'app_a', amount: 500, at: noon }],
  )
  admitNow({ limiter, limits })
  const known = new Map(
    limitCountersOf(limits, requestOf(), noon).map((counter) => [
      counter.key,
      readNodeStanding(counters, counter, noon),
    ]),
  )
  const explained = explainLimits(limits, requestOf(), {
    now: noon,
    standingOf: (key) => known.get(key) ?? null,
  })
  assert.deepEqual(
    explained.map(({ rule, ...rest }) => ({ name: rule.name, mode: rule.mode, ...rest })),
    expected,
  )
})
