/** The figures that a worker keeps of a target, and the budgets of a route. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConcurrencyLimit } from './concurrency-limit.ts'
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

/** A provider that serves 30 at once in 100 ms; what is more waits its turn. */
function settle(limit: ConcurrencyLimit, capacity: number, rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    const inFlight = limit.within(wide)
    limit.sample(100 * Math.max(1, inFlight / capacity) ** 2, inFlight)
  }
}

test('the limit finds what the provider bears: it grows while first tokens come as ever, and shrinks when they do not', () => {
  const limit = new ConcurrencyLimit()
  settle(limit, 30, 400)
  assert.ok(limit.within(wide) >= 25 && limit.within(wide) <= 60, String(limit.within(wide)))
  const before = limit.within(wide)
  for (let each = 0; each < 30; each += 1) limit.sample(2000, limit.within(wide))
  assert.ok(limit.within(wide) < before / 1.5, `${before} → ${limit.within(wide)}`)
  settle(limit, 200, 2000)
  assert.ok(limit.within(wide) > before, `back at ${limit.within(wide)}`)
})

test('the limit stays within its bounds, shrinks on refusals for load, and learns nothing while it is not used up', () => {
  const limit = new ConcurrencyLimit()
  const narrow = { min: 3, max: 25 }
  limit.within(narrow)
  for (let each = 0; each < 200; each += 1) limit.sample(100, limit.within(narrow))
  assert.equal(limit.within(narrow), 25)
  limit.sample(100, 1)
  assert.equal(limit.within(narrow), 25)
  for (let each = 0; each < 100; each += 1) limit.dropped()
  assert.equal(limit.within(narrow), 3)
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
