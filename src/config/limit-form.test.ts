import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Check } from 'typebox/value'
import { type LimitTerms, limitMeters, limitPeriods, limitSubjects } from '../domain/limits.ts'
import {
  type GivenLimit,
  givenLimitSchema,
  isConcurrency,
  readLimitMatch,
  readLimitTerms,
  readPlanLimits,
  writeLimitTerms,
} from './limit-form.ts'

function read(given: GivenLimit): { readonly terms: LimitTerms; readonly problems: readonly string[] } {
  assert.ok(Check(givenLimitSchema, given), JSON.stringify(given))
  const problems: string[] = []
  const terms = readLimitTerms(given, (path, reason) => problems.push(`${path.join('.')}: ${reason}`))
  return { terms, problems }
}

test('a limit says little and means much', () => {
  const { terms, problems } = read({ name: 'rate', meter: 'requests', amount: 100, window: 'minute' })
  assert.deepEqual(problems, [])
  assert.deepEqual(terms, {
    name: 'rate',
    meter: 'requests',
    amount: 100,
    window: { kind: 'rolling', ms: 60_000, burst: null },
    per: [],
    mode: 'enforce',
    whenExceeded: 'refuse',
    onStoreLoss: 'local-share',
    alertsAt: [],
  })
})

test('money is written in US dollars, kept in micro-dollars, and fails closed', () => {
  const month = { calendar: 'month' } as const
  const { terms, problems } = read({ name: 'budget', meter: 'cost', amount: 0.1, window: month })
  assert.deepEqual(problems, [])
  assert.deepEqual([terms.amount, terms.onStoreLoss], [100_000, 'closed'])
  assert.deepEqual(terms.window, { kind: 'calendar', period: 'month', timeZone: 'UTC' })
  const burst = read({ name: 'b', meter: 'cost', amount: 5, window: { rolling: '1h', burst: 0.5 } }).terms
    .window
  assert.deepEqual(burst, { kind: 'rolling', ms: 3_600_000, burst: 500_000 })
})

test('spans are words or numbers with a unit, from a second to 31 days', () => {
  const ms = (window: string): unknown =>
    (read({ name: 'a', meter: 'requests', amount: 1, window }).terms.window as { ms: number }).ms
  assert.deepEqual(
    ['1s', 'second', '90s', '5m', '12h', '31d', 'week'].map(ms),
    [1000, 1000, 90_000, 300_000, 43_200_000, 2_678_400_000, 604_800_000],
  )
})

const wrong: readonly (readonly [GivenLimit, RegExp])[] = [
  [{ name: 'a', meter: 'requests', amount: 1 }, /^window: requests needs a window/],
  [{ name: 'a', meter: 'concurrent-requests', amount: 1, window: 'minute' }, /^window: .*has no window$/],
  [{ name: 'a', meter: 'requests', amount: 1, window: '32d' }, /^window: is longer than 31 days/],
  [{ name: 'a', meter: 'requests', amount: 1.5, window: 'minute' }, /^amount: is a whole number of requests/],
  [{ name: 'a', meter: 'requests', amount: 2 ** 60, window: 'minute' }, /^amount: /],
  [{ name: 'a', meter: 'cost', amount: 0.0000001, window: 'minute' }, /^amount: .*US dollars/],
  [{ name: 'a', meter: 'cost', amount: 1.0000005, window: 'minute' }, /^amount: .*six decimals/],
  [{ name: 'a', meter: 'requests', amount: 5, window: { rolling: '1m', burst: 0.5 } }, /^window\.burst: /],
  [
    { name: 'a', meter: 'requests', amount: 5, window: { calendar: 'day', timeZone: 'Mars/Base' } },
    /^window\.timeZone: Mars\/Base/,
  ],
  [{ name: 'a', meter: 'requests', amount: 5, window: 'day', per: ['key', 'key'] }, /^per: .*twice/],
  [{ name: 'a', meter: 'requests', amount: 5, window: 'day', alertsAt: [0.5, 0.5] }, /^alertsAt: .*twice/],
  [
    { name: 'a', meter: 'requests', amount: 5, window: 'day', mode: 'shadow', whenExceeded: 'queue' },
    /^whenExceeded: .*shadow/,
  ],
]

test('each mistake that a schema cannot say is named with its place', () => {
  for (const [given, reason] of wrong) {
    const { problems } = read(given)
    assert.equal(problems.length, 1, JSON.stringify(given))
    assert.match(problems[0] ?? '', reason)
  }
})

test('what a schema can say is refused by the schema', () => {
  const good = { name: 'a', meter: 'requests', amount: 1, window: 'minute' }
  assert.ok(Check(givenLimitSchema, good))
  const refused = [
    { amount: 0 },
    { amount: -1 },
    { alertsAt: [0] },
    { alertsAt: [1.1] },
    { window: '0s' },
    { window: 'month' },
    { window: { calendar: 'year' } },
    { per: ['planet'] },
    { name: 'A b' },
    { meter: 'bytes' },
    { more: 1 },
  ]
  for (const part of refused) assert.ok(!Check(givenLimitSchema, { ...good, ...part }), JSON.stringify(part))
})

test('names are unique within a plan', () => {
  const problems: string[] = []
  const limit: GivenLimit = { name: 'a', meter: 'requests', amount: 1, window: 'minute' }
  readPlanLimits([limit, { ...limit, meter: 'cost' }], (path, reason) =>
    problems.push(`${path.join('.')}: ${reason}`),
  )
  assert.deepEqual(problems, ['1.name: the name a appears twice in the plan'])
})

test('what a match leaves out matches anything', () => {
  const nothing = { applications: null, teams: null, keys: null, users: null, models: null, products: null }
  assert.deepEqual(readLimitMatch(), nothing)
  assert.deepEqual(readLimitMatch({ teams: ['research'] }), { ...nothing, teams: ['research'] })
})

const anyTerms: fc.Arbitrary<LimitTerms> = fc
  .record({
    name: fc.constantFrom('rate', 'monthly-budget'),
    meter: fc.constantFrom(...limitMeters),
    amount: fc.integer({ min: 1, max: 2 ** 42 }),
    window: fc.oneof(
      fc.record({
        kind: fc.constant('rolling' as const),
        ms: fc.integer({ min: 1, max: 31 * 86_400 }).map((seconds) => seconds * 1000),
        burst: fc.option(fc.integer({ min: 1, max: 2 ** 42 })),
      }),
      fc.record({
        kind: fc.constant('calendar' as const),
        period: fc.constantFrom(...limitPeriods),
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu'),
      }),
    ),
    per: fc.uniqueArray(fc.constantFrom(...limitSubjects)),
    mode: fc.constantFrom('enforce', 'warn', 'shadow'),
    onStoreLoss: fc.constantFrom('local-share', 'closed', 'open'),
    alertsAt: fc.constantFrom([], [0.5, 0.9], [1]),
  })
  .map(
    (terms): LimitTerms => ({
      ...terms,
      window: isConcurrency(terms.meter) ? null : { ...terms.window },
      whenExceeded: terms.mode === 'enforce' ? 'queue' : 'refuse',
    }),
  )

test('property: what is written is read as the same limit', () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      const { terms: again, problems } = read(writeLimitTerms(terms) as GivenLimit)
      assert.deepEqual(problems, [])
      assert.deepEqual(again, terms)
    }),
    { numRuns: 500 },
  )
})
