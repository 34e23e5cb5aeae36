import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ageingMs, FairLane, type LaneMember } from './fair-lane.ts'

function member(own: Partial<LaneMember> = {}): LaneMember {
  return { flow: 'a', weight: 1, rank: 2, cost: 1, enteredAt: 0, ...own }
}

function serveNext(lane: FairLane<LaneMember>, now = 0): LaneMember | null {
  const next = lane.next(now)
  if (next !== null) lane.serve(next)
  return next
}

const flows = ['a', 'b', 'c', 'd']

test('between flows that have members waiting, what was served by weight differs by three largest costs at most', () => {
  const costs = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 30, maxLength: 60 })
  const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(costs, { minLength: 4, maxLength: 4 }), weights, (lists, shares) => {
      const lane = new FairLane<LaneMember>()
      const left = new Map<string, number>()
      const served = new Map(flows.map((flow) => [flow, 0]))
      for (const [at, flow] of flows.entries()) {
        for (const cost of lists[at] ?? []) lane.add(member({ flow, cost, weight: shares[at] ?? 1 }))
        left.set(flow, lists[at]?.length ?? 0)
      }
      const largest = Math.max(...lists.flat())
      while ([...left.values()].every((count) => count > 0)) {
        const next = serveNext(lane)
        assert.ok(next !== null)
        left.set(next.flow, (left.get(next.flow) ?? 0) - 1)
        served.set(next.flow, (served.get(next.flow) ?? 0) + next.cost / next.weight)
        const sums = [...served.values()]
        assert.ok(Math.max(...sums) - Math.min(...sums) <= 3 * largest)
      }
    }),
    { numRuns: 50 },
  )
})

test('within a flow the order of arrival holds, and everybody is served or leaves exactly once', () => {
  const steps = fc.array(
    fc.record({
      flow: fc.constantFrom(...flows),
      rank: fc.integer({ min: 0, max: 3 }),
      cost: fc.integer({ min: 0, max: 50 }),
      does: fc.constantFrom('add', 'add', 'serve', 'leave'),
    }),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(steps, (list) => {
      const lane = new FairLane<LaneMember>()
      const waiting: LaneMember[] = []
      for (const [now, { does, ...own }] of list.entries()) {
        if (does === 'add') {
          const added = member({ ...own, enteredAt: now })
          waiting.push(added)
          lane.add(added)
          continue
        }
        const chosen = does === 'serve' ? lane.next(now) : (waiting.at(-1) ?? null)
        assert.equal(chosen === null, waiting.length === 0)
        if (chosen === null) continue
        if (does === 'serve') {
          const first = waiting.find(({ flow, rank }) => flow === chosen.flow && rank === chosen.rank)
          assert.equal(chosen, first)
          lane.serve(chosen)
        } else lane.leave(chosen)
        waiting.splice(waiting.indexOf(chosen), 1)
        assert.equal(lane.size, waiting.length)
      }
    }),
    { numRuns: 100 },
  )
})

test('a higher class goes first, and a lower one waits a bounded time longer', () => {
  const lane = new FairLane<LaneMember>()
  const low = member({ flow: 'bulk', rank: 3 })
  lane.add(low)
  let servedAt = -1
  for (let now = 0; servedAt < 0 && now < 60_000; now += 100) {
    // Never without a fresh member of the highest class.
    lane.add(member({ flow: 'chat', rank: 0, enteredAt: now }))
    if (serveNext(lane, now) === low) servedAt = now
  }
  assert.ok(servedAt > 3 * ageingMs && servedAt <= 3 * ageingMs + 200, `${servedAt}`)
})

test('who asks for much does not lose its turn to those who ask for little', () => {
  const lane = new FairLane<LaneMember>()
  const large = member({ flow: 'large', cost: 100 })
  lane.add(large)
  for (let at = 0; at < 300; at += 1) lane.add(member({ flow: 'small', cost: 1 }))
  let before = 0
  while (serveNext(lane) !== large) before += 1
  assert.ok(before <= 100)
})
