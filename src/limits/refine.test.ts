/** Figures are counted exactly only where a limit is near: counting costs more than everything else of a limit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitRule } from '../domain/limits.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import { compileLimits } from './compile-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import { noon, openNode, requestOf, ruleOf } from './harness/samples.ts'
import type { LimitRequest } from './limit-request.ts'
import { createLimiter } from './limiter.ts'
import type { LimitVerdict } from './verdict.ts'

function fixtureOf(rules: readonly LimitRule[], counters: NodeCounters = openNode()(0)) {
  const time = new FakeTime(noon)
  const terms = { counters, calendarCounters: null, rateCounters: null, clock: time, timers: time }
  const limiter = createLimiter(terms)
  const limits = compileLimits(rules, [], [])
  let refined = 0
  return {
    /** An exchange of `rough` tokens by its size, `exact` by counting. */
    admit(rough: number, exact: number): LimitVerdict {
      const request: LimitRequest & { inputTokens: number } = {
        ...requestOf({ inputTokens: rough, outputTokens: 0 }),
        inputTokens: rough,
        refine() {
          refined += 1
          request.inputTokens = exact
        },
      }
      let answer: LimitVerdict | null = null
      limiter.admit(limits, request, (verdict) => {
        answer = verdict
      })
      assert.ok(answer !== null)
      return answer
    },
    get refined() {
      return refined
    },
  }
}

const tokens = (own: Partial<LimitRule> = {}) =>
  fixtureOf([ruleOf({ name: 'tpm', meter: 'total-tokens', amount: 1000, ...own })])

test('far from a limit nothing is counted; near it everything is, once', () => {
  const fixture = tokens()
  assert.equal(fixture.admit(20, 10).allowed, true)
  assert.equal(fixture.refined, 0)
  assert.equal(fixture.admit(900, 400).allowed, true)
  assert.equal(fixture.refined, 1)
  assert.equal(fixture.admit(900, 400).allowed, true)
  assert.equal(fixture.refined, 2)
})

test('nobody is refused by a rough figure, nor admitted by one', () => {
  const fixture = tokens()
  assert.equal(fixture.admit(5000, 1000).allowed, true, 'rough is more than there ever is')
  assert.equal(fixture.admit(1, 1).allowed, false)
  const other = tokens()
  assert.equal(other.admit(900, 1001).allowed, false)
  assert.equal(other.admit(1000, 1000).allowed, true, 'the refusal has taken nothing')
})

test('what another thread has taken since the last look leads to counting, not to a refusal', () => {
  const rules = [ruleOf({ name: 'tpm', meter: 'total-tokens', amount: 1000 })]
  const open = openNode()
  const [here, there] = [fixtureOf(rules, open(0)), fixtureOf(rules, open(1))]
  assert.equal(there.admit(990, 990).allowed, true)
  assert.equal(here.admit(100, 10).allowed, true)
  assert.equal(here.refined, 1)
  assert.equal(here.admit(1, 1).allowed, false)
})

test('rules without tokens ask for no counting', () => {
  const fixture = fixtureOf([
    ruleOf({ name: 'rpm', meter: 'requests', amount: 1 }),
    ruleOf({ name: 'calls', meter: 'concurrent-requests', amount: 1 }),
  ])
  assert.equal(fixture.admit(900, 1).allowed, true)
  assert.equal(fixture.refined, 0)
})
