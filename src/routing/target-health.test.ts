import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FailureClass, failureClasses } from './failure-classes.ts'
import { at, healthOf, start } from './harness/test-health.ts'
import { completeRoutePolicy, defaultRouteTerms } from './route-terms.ts'
import { createHealthBook, type TargetHealth } from './target-health.ts'

type Failing = FailureClass | { failure: FailureClass; retryAfterMs?: number; isTrial?: boolean }

function fail(health: TargetHealth, ms: number, failing: Failing): void {
  const facts = 'failure' in failing ? failing : { failure: failing }
  health.failed(
    { retryAfterMs: null, elapsedMs: 10, streamed: false, isTrial: false, ...facts },
    defaultRouteTerms,
    at(ms),
  )
}

test('the breaker opens at its figures: so many failures of a window, and so large a share', () => {
  const few = healthOf()
  for (let each = 0; each < 4; each += 1) fail(few, each, failureClasses.server)
  assert.equal(few.isClear, true)
  fail(few, 10, failureClasses.server)
  assert.deepEqual([few.trouble, few.waitMs(start + 10)], ['open', 5000])

  const mostlyGood = healthOf()
  for (let each = 0; each < 50; each += 1) {
    mostlyGood.succeeded(5, false, at(each))
    mostlyGood.succeeded(5, false, at(each))
    fail(mostlyGood, each, failureClasses.server)
  }
  assert.equal(mostlyGood.isClear, true)

  const slowly = healthOf()
  for (let each = 0; each < 20; each += 1) fail(slowly, each * 2600, failureClasses.server)
  assert.equal(slowly.isClear, true, 'never five in a window of ten seconds')
})

test('a failed trial opens it again at once and for longer; a good one closes it', () => {
  const health = healthOf()
  for (let each = 0; each < 5; each += 1) fail(health, 0, failureClasses.connect)
  assert.equal(health.claim(start + 5000), 'trial')
  fail(health, 5050, failureClasses.timeout)
  assert.equal(health.waitMs(start + 5050), 1000, 'an older call says nothing new')
  fail(health, 5100, { failure: failureClasses.timeout, isTrial: true })
  assert.equal(health.waitMs(start + 5100), 10_000)
  assert.equal(health.claim(start + 15_100), 'trial')
  health.succeeded(5, false, at(15_200))
  assert.equal(health.isClear, true)
  fail(health, 15_300, failureClasses.timeout)
  assert.equal(health.isClear, true, 'one failure afterwards is one failure')
})

test('what callers bring about at will changes nothing for others', () => {
  const obedient = createHealthBook().of({ deploymentId: 'a', model: 'm', credential: '', remembers: false })
  for (const failure of Object.values(failureClasses))
    for (let each = 0; each < 20; each += 1) fail(obedient, each, failure)
  assert.equal(obedient.isClear, true)
})

test('a route may do without a breaker', () => {
  const health = healthOf()
  const terms = completeRoutePolicy({ breaker: null })
  for (let each = 0; each < 100; each += 1)
    health.failed(
      { failure: failureClasses.server, retryAfterMs: null, elapsedMs: 1, streamed: false, isTrial: false },
      terms,
      at(each),
    )
  assert.equal(health.isClear, true)
})

test('a pause is as long as the provider asks for, within the bound of the route', () => {
  for (const [asked, got] of [
    [7000, 7000],
    [3_600_000, 60_000],
    [0, 0],
  ] as const) {
    const health = healthOf()
    fail(health, 0, { failure: failureClasses.rateLimit, retryAfterMs: asked })
    assert.equal(health.waitMs(start), got)
  }
})

test('without a word of the provider pauses double from half a second to ten', () => {
  const health = healthOf()
  let now = 0
  for (const expected of [500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
    fail(health, now, failureClasses.rateLimit)
    assert.equal(health.waitMs(start + now), expected)
    now += expected
    assert.equal(health.claim(start + now), 'granted')
  }
})

test('an overloaded provider that names a time is left alone for that long', () => {
  const health = healthOf()
  fail(health, 0, { failure: failureClasses.overloaded, retryAfterMs: 3000 })
  assert.deepEqual([health.trouble, health.waitMs(start)], ['cooling', 3000])
})

test('a refused credential takes the deployment out with all its models, a forbidden model only itself', () => {
  const refused = healthOf()
  fail(refused, 0, failureClasses.credential)
  assert.deepEqual([refused.deployment.trouble, refused.standing.trouble], ['retired', 'none'])
  const forbidden = healthOf()
  for (let each = 0; each < 10; each += 1) {
    fail(forbidden, each, failureClasses.permission)
    fail(forbidden, each, failureClasses.permission)
    assert.equal(forbidden.isClear, true, 'what others may still ask for')
    if (each < 9) forbidden.succeeded(5, false, at(each))
  }
  fail(forbidden, 10, failureClasses.permission)
  assert.deepEqual([forbidden.deployment.trouble, forbidden.standing.trouble], ['none', 'retired'])
  for (const kind of [
    failureClasses.refused,
    failureClasses.missing,
    failureClasses.caller,
    failureClasses.egress,
  ]) {
    const health = healthOf()
    for (let each = 0; each < 50; each += 1) fail(health, each, kind)
    assert.equal(health.isClear, true, kind.name)
  }
})

test('models of one deployment share one limit, over snapshots, and within the bounds of each route', () => {
  const book = createHealthBook()
  const boundsOf = (min: number, max: number) => completeRoutePolicy({ concurrency: { min, max } })
  const named = (deploymentId: string, model: string) => ({
    deploymentId,
    model,
    credential: 'k',
    remembers: true,
  })
  const snapshot = () => {
    book.beginSnapshot()
    const one = book.of(named('a', 'one'), boundsOf(1, 3).concurrency)
    const two = book.of(named('a', 'two'), boundsOf(1, 5).concurrency)
    const other = book.of(named('b', 'one'), boundsOf(1, 3).concurrency)
    book.keepNoted()
    return { one, two, other }
  }
  const { one, two, other } = snapshot()
  for (let each = 0; each < 3; each += 1) one.begin()
  assert.deepEqual([one.inFlight, two.inFlight], [3, 0])
  assert.deepEqual([one.isFull(boundsOf(1, 3)), two.isFull(boundsOf(1, 3))], [true, true])
  assert.equal(two.isFull(boundsOf(1, 5)), false, 'a wider route has room')
  assert.equal(other.isFull(boundsOf(1, 3)), false)
  const later = snapshot()
  assert.equal(later.two.isFull(boundsOf(1, 3)), true)
  one.end()
  assert.equal(later.two.isFull(boundsOf(1, 3)), false)
  for (let each = 0; each < 100; each += 1) fail(one, each, failureClasses.overloaded)
  later.two.begin()
  assert.equal(
    later.two.isFull(boundsOf(1, 5)),
    true,
    'what one model is refused for load shrinks it for both',
  )
})
