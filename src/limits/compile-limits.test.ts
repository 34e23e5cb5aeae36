import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileLimits, termsAt } from './compile-limits.ts'
import { anyMatch, noon, planOf, requestOf, ruleOf, thisMonth } from './harness/samples.ts'
import type { LimitRequest } from './limit-request.ts'

const names = ['a', 'b', 'ab', 'abc'] as const
const someNames = fc.option(
  fc.uniqueArray(fc.constantFrom(...names, 'a*', 'b*', '*'), { minLength: 1, maxLength: 3 }),
)
const someMatch = fc.record({
  applications: someNames,
  teams: someNames,
  keys: someNames,
  users: someNames,
  models: someNames,
  products: someNames,
})

/** The plainest reading of a match. */
function matchesPlainly(match: typeof anyMatch, request: LimitRequest): boolean {
  const has = (patterns: readonly string[] | null, value: string): boolean =>
    patterns === null ||
    patterns.some((pattern) =>
      pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : pattern === value,
    )
  return (
    has(match.applications, request.applicationId) &&
    has(match.teams, request.team) &&
    has(match.keys, request.keyId) &&
    has(match.users, request.user) &&
    has(match.models, request.model) &&
    has(match.products, request.productId)
  )
}

test('property: the rules found are those that match, each once', () => {
  const name = fc.constantFrom(...names)
  const request = fc
    .record({ applicationId: name, team: name, keyId: name, user: name, model: name, productId: name })
    .map((own) => requestOf({ ...own, planId: '' }))
  fc.assert(
    fc.property(fc.array(someMatch, { maxLength: 12 }), request, (matches, asked) => {
      const rules = matches.map((match, index) =>
        ruleOf({ name: `rule${index}`, meter: 'requests', amount: 1, match }),
      )
      const found = compileLimits(rules, [], []).rulesOf(asked)
      const expected = rules.filter(({ match }) => matchesPlainly(match, asked))
      assert.deepEqual(found.map(({ rule }) => rule.name).sort(), expected.map((rule) => rule.name).sort())
    }),
  )
})

test('an organization meets its own rules and the plan of the request, nothing else', () => {
  const limits = compileLimits(
    [
      ruleOf({ name: 'ours', meter: 'requests', amount: 1 }),
      ruleOf({ name: 'theirs', meter: 'requests', amount: 1, organizationId: 'org_b' }),
    ],
    [
      planOf({ limits: [ruleOf({ name: 'gold', meter: 'requests', amount: 1 })] }),
      planOf({ id: 'plan_b', limits: [ruleOf({ name: 'silver', meter: 'requests', amount: 1 })] }),
    ],
    [],
  )
  assert.equal(limits.ruleCount, 4)
  assert.deepEqual(
    limits.rulesOf(requestOf()).map(({ rule }) => rule.id),
    ['ltm_ours', 'plan_a/gold'],
  )
})

test('ten thousand rules of single keys cost a request nothing but its own', () => {
  const rules = Array.from({ length: 10_000 }, (_, index) =>
    ruleOf({
      name: `k${index}`,
      meter: 'requests',
      amount: 1,
      match: { ...anyMatch, keys: [`key_${index}`] },
    }),
  )
  const limits = compileLimits(rules, [], [])
  const asked = requestOf({ keyId: 'key_777' })
  const started = performance.now()
  for (let turn = 0; turn < 1000; turn += 1) assert.equal(limits.rulesOf(asked).length, 1)
  // Looking at all of them takes a hundred times as long.
  assert.ok(performance.now() - started < 200)
})

test('terms: burst is the amount unless it is said; top-ups raise their own counter in their period', () => {
  const rolling = { kind: 'rolling', ms: 1000, burst: null } as const
  const topUps = [
    {
      id: 't',
      organizationId: 'org_a',
      limitId: 'ltm_money',
      subject: 'x',
      amount: 5,
      at: noon + 86_400_000,
    },
  ]
  const [plain, bursty, money] = compileLimits(
    [
      ruleOf({ name: 'plain', meter: 'requests', amount: 7, window: rolling }),
      ruleOf({ name: 'bursty', meter: 'requests', amount: 7, window: { ...rolling, burst: 2 } }),
      ruleOf({ name: 'money', meter: 'cost', amount: 100, window: thisMonth }),
    ],
    [],
    topUps,
  ).rulesOf(requestOf())
  assert.ok(plain !== undefined && bursty !== undefined && money !== undefined)
  assert.deepEqual(termsAt(plain, '', noon), { kind: 'rolling', amount: 7, windowMs: 1000, burst: 7 })
  assert.deepEqual(termsAt(bursty, '', noon), { kind: 'rolling', amount: 7, windowMs: 1000, burst: 2 })
  const [startsAt, endsAt] = [Date.UTC(2026, 0), Date.UTC(2026, 1)]
  assert.deepEqual(termsAt(money, 'x', noon), { kind: 'calendar', amount: 105, startsAt, endsAt })
  assert.deepEqual(termsAt(money, 'y', noon), { kind: 'calendar', amount: 100, startsAt, endsAt })
  assert.equal(termsAt(money, 'x', noon + 31 * 86_400_000).amount, 100)
})
