import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testCentralCountersContract } from '../../ports/central-counters.contract.ts'
import type { CounterTerms } from '../../ports/central-counters.ts'
import { createMemoryCounterStore } from './memory-central-counters.ts'

testCentralCountersContract('memory', async () => {
  const store = createMemoryCounterStore({ now: Date.now, ttlMs: 300 })
  return { ttlMs: 300, open: async (node) => store.open(node), remove: () => Promise.resolve() }
})

test('property: any window admits at most burst + rate × window, and a refused caller waits no longer than it was told', async () => {
  const rolling = fc.record({
    kind: fc.constant('rolling' as const),
    amount: fc.integer({ min: 1, max: 1000 }),
    windowMs: fc.constantFrom(1000, 60_000, 2_678_400_000),
    burst: fc.integer({ min: 1, max: 50 }),
  })
  const steps = fc.array(fc.record({ waitMs: fc.nat(5000), units: fc.integer({ min: 1, max: 60 }) }), {
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(rolling, steps, async (terms: CounterTerms & { kind: 'rolling' }, list) => {
      let now = 1_800_000_000_000
      const counters = createMemoryCounterStore({ now: () => now, ttlMs: 1000 }).open('a')
      const admitted: { at: number; units: number }[] = []
      const take = async (units: number) => {
        const outcome = await counters.take([{ key: 'k', terms, units }])
        if (outcome.taken) admitted.push({ at: now, units })
        return outcome
      }
      for (const { waitMs, units } of list) {
        now += waitMs
        const outcome = await take(units)
        if (outcome.taken || outcome.retryAfterMs === null) continue
        now += outcome.retryAfterMs
        assert.ok((await take(units)).taken, 'after the wait there is room')
      }
      for (const [first, { at: from }] of admitted.entries()) {
        let sum = 0
        for (const { at, units } of admitted.slice(first)) {
          sum += units
          const most = terms.burst + ((at - from) * terms.amount) / terms.windowMs
          assert.ok(sum <= most + 1e-6, `${sum} in ${at - from} ms, at most ${most}`)
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('a store that is full refuses new counters until old ones say nothing any more', async () => {
  let now = 1000
  const counters = createMemoryCounterStore({ now: () => now, ttlMs: 1000, maxCounters: 2 }).open('a')
  const take = (key: string) =>
    counters.take([{ key, terms: { kind: 'rolling', amount: 1, windowMs: 1000, burst: 1 }, units: 1 }])
  await take('a')
  await take('b')
  await assert.rejects(take('c'), RangeError)
  now += 1001
  assert.ok((await take('c')).taken)
})
