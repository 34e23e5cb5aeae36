/** What every CentralCounters adapter guarantees. Each test has a store of its own, which `open` joins as a node. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CheckCounters,
  type CountersFixture,
  testAgainstOracle,
} from './central-counters.contract-oracle.ts'
import type { CentralCounters, CounterEntry, CounterTerms } from './central-counters.ts'

const dayMs = 86_400_000
/** So slow that nothing drains while a test runs. */
export const slow = (burst: number): CounterTerms => ({
  kind: 'rolling',
  amount: 1,
  windowMs: 31 * dayMs,
  burst,
})
export const month = (amount: number, startsAt = Date.now() - dayMs): CounterTerms => ({
  kind: 'calendar',
  amount,
  startsAt,
  endsAt: startsAt + 30 * dayMs,
})
export const slots = (amount: number): CounterTerms => ({ kind: 'concurrency', amount })
const entry = (name: string, terms: CounterTerms, units = 1): CounterEntry => ({
  key: `{tenant}${name}`,
  terms,
  units,
})

async function remaining(counters: CentralCounters, name: string, terms: CounterTerms): Promise<number> {
  const [standing] = await counters.read([{ key: `{tenant}${name}`, terms }])
  return standing?.remaining ?? Number.NaN
}

async function leaseOf(counters: CentralCounters, wanted: CounterEntry, least = 1) {
  const { key, terms, units } = wanted
  const [grant] = await counters.lease([{ key, terms, wanted: units, least }])
  assert.ok(grant !== undefined)
  return grant
}

function settleOf(
  counters: CentralCounters,
  { key, terms }: CounterEntry,
  part: { spent: number; returned: number },
): Promise<void> {
  return counters.settle([{ key, terms, ...part }])
}

function testTakes(check: CheckCounters): void {
  check('a take debits all entries', async ({ open }) => {
    const counters = await open('a')
    const budget = month(100)
    const outcome = await counters.take([entry('rate', slow(10), 4), entry('money', budget, 30)])
    assert.ok(outcome.taken)
    assert.deepEqual(
      outcome.standings.map((standing) => standing.remaining),
      [6, 70],
    )
    assert.equal(await remaining(counters, 'rate', slow(10)), 6)
    assert.equal(await remaining(counters, 'money', budget), 70)
  })

  check('a refusal changes nothing, and names the entry with the longest wait', async ({ open }) => {
    const counters = await open('a')
    const fast: CounterTerms = { kind: 'rolling', amount: 10, windowMs: 1000, burst: 5 }
    const budget = month(10)
    await counters.take([entry('money', budget, 8)])
    const outcome = await counters.take([
      entry('slots', slots(2), 2),
      entry('money', budget, 3),
      entry('rate', fast, 5),
    ])
    assert.ok(!outcome.taken)
    assert.equal(outcome.refusedBy, 1)
    assert.ok((outcome.retryAfterMs ?? 0) > 28 * dayMs)
    assert.deepEqual(
      outcome.standings.map((standing) => standing.remaining),
      [2, 2, 5],
    )
    const never = await counters.take([entry('money', budget, 3), entry('rate', fast, 6)])
    assert.ok(!never.taken)
    assert.deepEqual([never.refusedBy, never.retryAfterMs], [1, null])
  })

  check('a counter that stands twice in a take is counted twice', async ({ open }) => {
    const counters = await open('a')
    const refused = await counters.take([entry('rate', slow(5), 3), entry('rate', slow(5), 3)])
    assert.equal(refused.taken, false)
    assert.equal((await counters.take([entry('rate', slow(5), 3), entry('rate', slow(5), 2)])).taken, true)
    assert.equal(await remaining(counters, 'rate', slow(5)), 0)
  })

  check('corrections debit without a check and give back, never more than was there', async ({ open }) => {
    const counters = await open('a')
    const budget = month(10)
    await counters.adjust([entry('money', budget, 25), entry('rate', slow(10), 4)])
    assert.equal(await remaining(counters, 'money', budget), 0)
    await counters.adjust([entry('money', budget, -20), entry('rate', slow(10), -100)])
    assert.equal(await remaining(counters, 'money', budget), 5)
    assert.equal(await remaining(counters, 'rate', slow(10)), 10)
  })

  check('an edited amount counts at once, and what was used stays', async ({ open }) => {
    const counters = await open('a')
    const startsAt = Date.now()
    await counters.take([entry('money', month(100, startsAt), 60)])
    assert.equal(await remaining(counters, 'money', month(50, startsAt)), 0)
    assert.equal(await remaining(counters, 'money', month(80, startsAt)), 20)
  })
}

function testTime(check: CheckCounters): void {
  check(
    'a rolling counter admits again after the wait that it named, in the time of the store',
    async ({ open }) => {
      const counters = await open('a')
      const fast: CounterTerms = { kind: 'rolling', amount: 20, windowMs: 1000, burst: 10 }
      assert.ok((await counters.take([entry('rate', fast, 10)])).taken)
      const refused = await counters.take([entry('rate', fast, 2)])
      assert.ok(!refused.taken)
      const waitMs = refused.retryAfterMs ?? 0
      assert.ok(waitMs > 60 && waitMs <= 100, `${waitMs} ms`)
      await sleep(waitMs + 2)
      assert.ok((await counters.take([entry('rate', fast, 2)])).taken)
    },
  )

  check('a rolling counter gives burst + rate × time, and not one more', async ({ open }) => {
    const counters = await open('a')
    // The burst covers pauses of the test itself.
    const fast: CounterTerms = { kind: 'rolling', amount: 1000, windowMs: 1000, burst: 1000 }
    const began = performance.now()
    let given = 0
    let given0AfterMs = 0
    while (performance.now() - began < 300) {
      given += (await leaseOf(counters, entry('rate', fast, 2000))).units
      if (given0AfterMs === 0) given0AfterMs = performance.now() - began
      await sleep(1)
    }
    const lastsMs = performance.now() - began
    const left = await remaining(counters, 'rate', fast)
    assert.ok(given <= 1000 + Math.ceil(lastsMs) + 1, `${given} in ${lastsMs} ms`)
    assert.ok(given + left >= 1000 + Math.floor(lastsMs - given0AfterMs) - 2, `${given} in ${lastsMs} ms`)
  })

  check('each period has a counter of its own, and the one before is still settled', async ({ open }) => {
    const counters = await open('a')
    const before = month(10, Date.now() - 31 * dayMs)
    const after = month(10)
    await counters.take([entry('money', before, 9)])
    assert.ok((await counters.take([entry('money', after, 10)])).taken)
    await counters.adjust([entry('money', before, -4)])
    assert.equal(await remaining(counters, 'money', before), 5)
    assert.equal(await remaining(counters, 'money', after), 0)
  })
}

function testLeases(check: CheckCounters): void {
  check('a lease is debited at once: as much as is there, at least what is needed', async ({ open }) => {
    const [a, b] = [await open('a'), await open('b')]
    const rate = entry('rate', slow(10), 6)
    const first = await leaseOf(a, rate)
    assert.deepEqual([first.units, first.standing.remaining, first.retryAfterMs], [6, 4, null])
    assert.ok(first.ttlMs > 0)
    const second = await leaseOf(b, rate)
    assert.deepEqual([second.units, second.nodes], [4, 2])
    const refused = await leaseOf(b, rate)
    assert.equal(refused.units, 0)
    assert.ok((refused.retryAfterMs ?? 0) > dayMs)
    assert.equal((await leaseOf(a, entry('money', month(5), 9), 6)).units, 0)
    assert.equal((await leaseOf(a, entry('money', month(5), 9), 5)).units, 5)
  })

  check('of several requests each stands alone', async ({ open }) => {
    const counters = await open('a')
    const ask = (name: string, wanted: number) => ({
      key: `{${name}}x`,
      terms: slow(5),
      wanted,
      least: wanted,
    })
    const grants = await counters.lease([ask('one', 6), ask('two', 5), ask('three', 1)])
    assert.deepEqual(
      grants.map((grant) => grant.units),
      [0, 5, 1],
    )
  })

  check(
    'a lease is settled in parts; what is beyond it is debited, and no more comes back',
    async ({ open }) => {
      const counters = await open('a')
      const rate = entry('rate', slow(100), 10)
      await leaseOf(counters, rate)
      await settleOf(counters, rate, { spent: 3, returned: 2 })
      assert.equal(await remaining(counters, 'rate', rate.terms), 92)
      await settleOf(counters, rate, { spent: 9, returned: 0 })
      assert.equal(await remaining(counters, 'rate', rate.terms), 88, 'four more than were leased')
      await settleOf(counters, rate, { spent: 0, returned: 50 })
      assert.equal(await remaining(counters, 'rate', rate.terms), 88, 'nothing is leased any more')
    },
  )

  check('what a node forgets counts as spent', async ({ open }) => {
    const [a, b] = [await open('a'), await open('b')]
    const rate = entry('rate', slow(10), 6)
    await leaseOf(a, rate)
    await leaseOf(b, entry('rate', slow(10), 1))
    await a.forget()
    await settleOf(a, rate, { spent: 0, returned: 6 })
    assert.equal(await remaining(a, 'rate', rate.terms), 3)
    await settleOf(b, rate, { spent: 0, returned: 1 })
    assert.equal(await remaining(a, 'rate', rate.terms), 4, 'the other node keeps its lease')
  })

  check('a lease that is not renewed counts as spent; one that is renewed stays', async ({ open, ttlMs }) => {
    const [a, b] = [await open('a'), await open('b')]
    const budget = month(20)
    await leaseOf(a, entry('money', budget, 5))
    await leaseOf(b, entry('money', budget, 5))
    for (let waited = 0; waited < 2 * ttlMs; waited += ttlMs / 4) {
      await sleep(ttlMs / 4)
      await b.renew()
    }
    await settleOf(a, entry('money', budget), { spent: 0, returned: 5 })
    assert.equal(await remaining(b, 'money', budget), 10)
    await settleOf(b, entry('money', budget), { spent: 1, returned: 4 })
    assert.equal(await remaining(b, 'money', budget), 14)
  })
}

function testReports(check: CheckCounters): void {
  check('a report that is sent again under its name counts once, where a store says so', async ({ open }) => {
    const counters = await open('a')
    if (counters.takesReportsOnce !== true) return
    const budget = month(1000)
    const money = entry('money', budget, 100)
    await leaseOf(counters, money)
    const part = { key: money.key, terms: budget, spent: 30, returned: 20 }
    await counters.settle([part], 'first')
    await counters.settle([part], 'first')
    assert.equal(await remaining(counters, 'money', budget), 920)
    const debt = [{ key: money.key, terms: budget, units: 7 }]
    await counters.adjust(debt, 'second')
    await counters.adjust(debt, 'second')
    assert.equal(await remaining(counters, 'money', budget), 913)
    await counters.settle([part], 'third')
    await counters.forget()
    assert.equal(await remaining(counters, 'money', budget), 933)
  })

  check(
    'reports of many counters count once each, and those of other nodes are their own',
    async ({ open }) => {
      const [a, b] = [await open('a'), await open('b')]
      if (a.takesReportsOnce !== true) return
      const budget = month(10)
      const parts = Array.from({ length: 150 }, (_, at) => ({
        key: `{tenant}of-${at}`,
        terms: budget,
        spent: 1,
        returned: 0,
      }))
      await a.settle(parts, 'same')
      await b.settle(parts, 'same')
      await a.settle(parts, 'same')
      for (const at of [0, 63, 64, 149]) assert.equal(await remaining(a, `of-${at}`, budget), 8)
    },
  )
}

function testConcurrency(check: CheckCounters): void {
  check('slots are held by nodes, and let go by the node that holds them', async ({ open }) => {
    const [a, b] = [await open('a'), await open('b')]
    const two = slots(2)
    assert.ok((await a.take([entry('slots', two, 2)])).taken)
    const refused = await b.take([entry('slots', two)])
    assert.ok(!refused.taken && (refused.retryAfterMs ?? 0) > 0)
    await b.adjust([entry('slots', two, -1)])
    assert.equal(await remaining(b, 'slots', two), 0, 'b holds nothing that it could let go')
    await a.adjust([entry('slots', two, -1)])
    assert.ok((await b.take([entry('slots', two)])).taken)
  })

  check('a node that stops renewing lets go; nodes that live are counted', async ({ open, ttlMs }) => {
    const [a, b] = [await open('a'), await open('b')]
    const two = slots(2)
    await a.take([entry('slots', two)])
    await b.take([entry('slots', two)])
    await a.renew()
    assert.equal(await b.renew(), 2)
    for (let waited = 0; waited < 2 * ttlMs; waited += ttlMs / 4) {
      await sleep(ttlMs / 4)
      await b.renew()
    }
    assert.equal(await b.renew(), 1)
    assert.equal(await remaining(b, 'slots', two), 1)
    await a.adjust([entry('slots', two, -1)])
    assert.equal(await remaining(b, 'slots', two), 1, 'nothing is let go twice')
  })

  check('a node that forgets lets go at once', async ({ open }) => {
    const [a, b] = [await open('a'), await open('b')]
    await a.take([entry('slots', slots(2), 2)])
    await a.forget()
    assert.equal((await b.take([entry('slots', slots(2), 2)])).taken, true)
  })

  check('slots can be leased; spent or returned, they are let go', async ({ open }) => {
    const [a, b] = [await open('a'), await open('b')]
    const five = entry('slots', slots(5), 4)
    assert.equal((await leaseOf(a, five)).units, 4)
    assert.equal((await leaseOf(b, five)).units, 1)
    await settleOf(a, five, { spent: 1, returned: 2 })
    assert.equal(await remaining(b, 'slots', five.terms), 3)
  })
}

function testCallersAtOnce(check: CheckCounters): void {
  check(
    'of callers at once, over several connections, exactly as many pass as there is room',
    async ({ open }) => {
      const nodes = await Promise.all(['a', 'b', 'c'].map(open))
      const [rate, budget, room] = [slow(50), month(70), slots(60)]
      const takes = nodes.flatMap((node) =>
        Array.from({ length: 30 }, () =>
          node.take([entry('rate', rate), entry('money', budget), entry('slots', room)]),
        ),
      )
      const outcomes = await Promise.all(takes)
      assert.equal(outcomes.filter((outcome) => outcome.taken).length, 50)
      const [first] = nodes
      assert.ok(first !== undefined)
      assert.equal(await remaining(first, 'money', budget), 20)
      assert.equal(await remaining(first, 'slots', room), 10)
    },
  )

  check('leases and takes at once, in any order of entries, lose no update', async ({ open }) => {
    const nodes = await Promise.all(['a', 'b', 'c'].map(open))
    const budget = month(1_000_000)
    const money = (name: string, units: number) => entry(name, budget, units)
    await Promise.all(
      nodes.map(async (node) => {
        for (let round = 0; round < 10; round += 1) {
          await Promise.all([
            node.take([money('x', 3), money('y', 1)]),
            node.take([money('y', 2), money('x', 1)]),
            leaseOf(node, money('x', 10)),
          ])
          await settleOf(node, money('x', 0), { spent: 4, returned: 6 })
        }
      }),
    )
    const [first] = nodes
    assert.ok(first !== undefined)
    assert.equal(await remaining(first, 'x', budget), 1_000_000 - 3 * 10 * 8)
    assert.equal(await remaining(first, 'y', budget), 1_000_000 - 3 * 10 * 3)
  })
}

export function testCentralCountersContract(name: string, create: () => Promise<CountersFixture>): void {
  const check: CheckCounters = (title, body) => {
    test(`${name}: ${title}`, async () => {
      const fixture = await create()
      try {
        await body(fixture)
      } finally {
        await fixture.remove()
      }
    })
  }
  testTakes(check)
  testTime(check)
  testReports(check)
  testLeases(check)
  testConcurrency(check)
  testCallersAtOnce(check)
  testAgainstOracle(check)
}
