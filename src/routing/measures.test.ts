/** The figures that a worker keeps of a target, and the budgets of a route. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConcurrencyLimit, UsualTime, widest } from './concurrency-limit.ts'
import { classOfErrorEvent, classOfStatus, failureClasses, retryAfterMs } from './failure-classes.ts'
import { Latency } from './latency.ts'
import { jitteredBackoffMs, ShareBudget } from './share-budget.ts'

test('a peak is believed at once and forgotten slowly', () => {
  const latency = new Latency()
  latency.add(100, 0)
  latency.add(2000, 10)
  assert.ok(latency.load(0, 10) > 1900)
  latency.add(100, 1000)
  assert.ok(latency.load(0, 1000) > 1500)
  latency.add(100, 60_000)
  assert.ok(latency.load(0, 60_000) < 120)
})

test('what is under way counts, also of a target of which nothing else is known', () => {
  const latency = new Latency()
  assert.equal(latency.load(0, 0), 0)
  assert.ok(latency.load(1, 0) > 0)
  latency.add(100, 0)
  assert.equal(latency.load(3, 0), 400)
})

test('the 95th percentile is told once enough was seen, and follows the last calls', () => {
  const latency = new Latency()
  for (let each = 1; each <= 19; each += 1) latency.add(each, each)
  assert.equal(latency.p95Ms, null)
  for (let each = 20; each <= 100; each += 1) latency.add(each, each)
  assert.equal(latency.p95Ms, 95)
  for (let each = 0; each < 200; each += 1) latency.add(7, 200)
  assert.equal(latency.p95Ms, 7)
})

const wide = { min: 1, max: 1000 }

/** The most that a limit lets through at once. */
function most(limit: ConcurrencyLimit, terms = wide): number {
  limit.inFlight = 0
  while (!limit.isFull(terms)) limit.inFlight += 1
  return limit.inFlight
}

function limitWithin(bounds = wide): ConcurrencyLimit {
  const limit = new ConcurrencyLimit()
  limit.bounds = bounds
  return limit
}

/** A provider that serves so many at once as quickly as ever; what is more waits its turn. `usualMs`: of each model. */
function settle(
  limit: ConcurrencyLimit,
  { capacity, rounds, usualMs }: { capacity: number; rounds: number; usualMs: readonly number[] },
): readonly UsualTime[] {
  const usual = usualMs.map(() => new UsualTime())
  for (let round = 0; round < rounds; round += 1) {
    const inFlight = most(limit)
    const ms = (usualMs[round % usualMs.length] ?? 0) * Math.max(1, inFlight / capacity) ** 2
    limit.sample(usual[round % usualMs.length]?.slowness(ms) ?? 0)
  }
  return usual
}

test('the limit finds what the provider bears: it grows while first tokens come as ever, and shrinks when they do not', () => {
  const limit = limitWithin()
  const [usual] = settle(limit, { capacity: 30, rounds: 400, usualMs: [100] })
  const before = most(limit)
  assert.ok(before >= 25 && before <= 60, String(before))
  for (let each = 0; each < 30; each += 1) {
    most(limit)
    limit.sample(usual?.slowness(2000) ?? 0)
  }
  assert.ok(most(limit) < before / 1.5, `${before} → ${most(limit)}`)
  settle(limit, { capacity: 200, rounds: 2000, usualMs: [100] })
  assert.ok(most(limit) > before, `back at ${most(limit)}`)
})

test('models that are quick and slow by nature share a limit without pressing on each other', () => {
  const alone = limitWithin()
  settle(alone, { capacity: 30, rounds: 400, usualMs: [100] })
  const mixed = limitWithin()
  settle(mixed, { capacity: 30, rounds: 400, usualMs: [40, 4000, 400] })
  assert.ok(Math.abs(most(mixed) - most(alone)) <= 10, `${most(alone)} alone, ${most(mixed)} mixed`)
})

test('the limit stays within its bounds, shrinks on refusals for load, and learns nothing while it is not used up', () => {
  const narrow = { min: 3, max: 25 }
  const limit = limitWithin(narrow)
  for (let each = 0; each < 200; each += 1) {
    most(limit)
    limit.sample(1)
  }
  assert.equal(most(limit), 25)
  limit.inFlight = 1
  limit.sample(10)
  assert.equal(most(limit), 25)
  for (let each = 0; each < 100; each += 1) limit.dropped()
  assert.equal(most(limit), 3)
  assert.equal(most(limit, { min: 7, max: 9 }), 7, 'a route’s own bounds hold for what it sends')
})

test('bounds of several routes leave each all that it allows', () => {
  assert.equal(widest(null, null), null)
  assert.deepEqual(widest(null, { min: 2, max: 5 }), { min: 2, max: 5 })
  assert.deepEqual(widest({ min: 1, max: 4 }, { min: 2, max: 5 }), { min: 1, max: 5 })
})

test('extra calls stay a share of what was asked, beyond a few at the start', () => {
  const budget = new ShareBudget(20)
  let extra = 0
  for (let asked = 0; asked < 1000; asked += 1) {
    budget.payIn()
    if (budget.take()) extra += 1
  }
  assert.ok(extra <= 210 && extra >= 200, String(extra))
  assert.equal(new ShareBudget(0).take(), false)
})

test('waits are random up to a bound that doubles with each round', () => {
  const bounds = { baseMs: 100, maxMs: 1000 }
  const most = [0, 1, 2, 3, 4, 50].map((round) => jitteredBackoffMs(round, { ...bounds, random: () => 1 }))
  assert.deepEqual(most, [100, 200, 400, 800, 1000, 1000])
  assert.equal(jitteredBackoffMs(3, { ...bounds, random: () => 0 }), 0)
})

test('Retry-After is read in seconds, as a date and in milliseconds, and nonsense is none', () => {
  const now = Date.UTC(2026, 0, 1)
  for (const [headers, expected] of [
    [['retry-after', '7'], 7000],
    [['retry-after', 'Thu, 01 Jan 2026 00:00:30 GMT'], 30_000],
    [['retry-after', 'Thu, 01 Jan 2015 00:00:30 GMT'], 0],
    [['retry-after', '9', 'retry-after-ms', '250'], 250],
    [['retry-after', '-1'], null],
    [['retry-after', '1e9'], null],
    [['retry-after', 'x'.repeat(1000)], null],
    [['x', '1'], null],
  ] as const)
    assert.equal(retryAfterMs(headers, now), expected, headers.join(' '))
})

test('every status has a class: the request itself is final, load and breakage are not', () => {
  for (const status of [400, 405, 409, 413, 415, 422, 451]) assert.equal(classOfStatus(status).next, false)
  for (const status of [301, 302, 307]) assert.equal(classOfStatus(status), failureClasses.redirect)
  for (const status of [408, 429, 500, 502, 503, 504, 520, 529, 599]) {
    const { next, again } = classOfStatus(status)
    assert.deepEqual([next, again], [true, true], String(status))
  }
  for (const status of [401, 402, 403, 404]) assert.equal(classOfStatus(status).again, false)
  assert.equal(classOfErrorEvent('content-filter').next, false)
  assert.equal(classOfErrorEvent('overloaded').next, true)
})
