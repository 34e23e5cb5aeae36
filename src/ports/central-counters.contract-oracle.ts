/**
 * The contract of CentralCounters against an oracle: random calls of several nodes, one after another, and after each
 * the same standings and answers. The oracle keeps whole numbers and knows no time; its counters do not drain.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CentralCounters, CounterTerms } from './central-counters.ts'

export interface CountersFixture {
  /** Of leases and holds; a few hundred milliseconds, so that tests can wait for their end. */
  readonly ttlMs: number
  /** Each call is a connection of its own, where the adapter has connections. */
  open(node: string): Promise<CentralCounters>
  remove(): Promise<void>
}

export type CheckCounters = (name: string, body: (fixture: CountersFixture) => Promise<void>) => void

const nodeNames = ['a', 'b', 'c'] as const
type NodeName = (typeof nodeNames)[number]

const startsAt = Date.now() - 1_000_000
const counterTable: readonly { readonly key: string; readonly terms: CounterTerms }[] = [
  { key: '{t}rate', terms: { kind: 'rolling', amount: 1, windowMs: 2_600_000_000, burst: 12 } },
  { key: '{t}tokens', terms: { kind: 'rolling', amount: 1, windowMs: 2_600_000_000, burst: 30 } },
  { key: '{t}money', terms: { kind: 'calendar', amount: 25, startsAt, endsAt: startsAt + 2_600_000_000 } },
  { key: '{t}slots', terms: { kind: 'concurrency', amount: 9 } },
]

interface Debit {
  readonly counter: number
  readonly units: number
}
type Command =
  | { readonly kind: 'take' | 'adjust'; readonly node: NodeName; readonly debits: readonly Debit[] }
  | { readonly kind: 'lease'; readonly node: NodeName; readonly debit: Debit; readonly least: number }
  | { readonly kind: 'settle'; readonly node: NodeName; readonly debit: Debit; readonly returned: number }
  | { readonly kind: 'forget' | 'renew'; readonly node: NodeName }

const node = fc.constantFrom(...nodeNames)
const counter = fc.nat(counterTable.length - 1)
const debitOf = (min: number, max: number) => fc.record({ counter, units: fc.integer({ min, max }) })
const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('take' as const),
      node,
      debits: fc.array(debitOf(1, 6), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('adjust' as const),
      node,
      debits: fc.array(debitOf(-5, 3), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('lease' as const),
      node,
      debit: debitOf(1, 10),
      least: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({ kind: fc.constant('settle' as const), node, debit: debitOf(0, 6), returned: fc.nat(6) }),
    fc.record({ kind: fc.constantFrom('forget' as const, 'renew' as const), node }),
  ),
  { minLength: 5, maxLength: 40 },
)

const limits = counterTable.map(({ terms }) => (terms.kind === 'rolling' ? terms.burst : terms.amount))
const holds = counterTable.map(({ terms }) => terms.kind === 'concurrency')

/** Used units, and units leased or held by each node; nothing else. */
class Oracle {
  readonly used = counterTable.map(() => 0)
  readonly leased = new Map<NodeName, number[]>(nodeNames.map((name) => [name, counterTable.map(() => 0)]))

  remaining(at: number): number {
    return Math.max(0, (limits[at] ?? 0) - (this.used[at] ?? 0))
  }

  leasedBy(name: NodeName, at: number): number {
    return this.leased.get(name)?.[at] ?? 0
  }

  #use(at: number, units: number): void {
    this.used[at] = Math.max(0, (this.used[at] ?? 0) + units)
  }

  #lease(name: NodeName, at: number, units: number): void {
    const leases = this.leased.get(name) ?? []
    leases[at] = (leases[at] ?? 0) + units
  }

  take(name: NodeName, debits: readonly Debit[]): boolean {
    const sums = counterTable.map(() => 0)
    for (const { counter: at, units } of debits) sums[at] = (sums[at] ?? 0) + units
    if (sums.some((sum, at) => sum > 0 && sum > this.remaining(at))) return false
    for (const { counter: at, units } of debits) {
      this.#use(at, units)
      if (holds[at] === true) this.#lease(name, at, units)
    }
    return true
  }

  adjust(name: NodeName, debits: readonly Debit[]): void {
    for (const { counter: at, units } of debits) {
      if (holds[at] !== true) this.#use(at, units)
      else {
        const change = Math.max(units, -this.leasedBy(name, at))
        this.#use(at, change)
        this.#lease(name, at, change)
      }
    }
  }

  lease(name: NodeName, { counter: at, units }: Debit, least: number): number {
    const there = this.remaining(at)
    if (there < least) return 0
    const granted = Math.min(there, Math.max(units, least))
    this.#use(at, granted)
    this.#lease(name, at, granted)
    return granted
  }

  settle(name: NodeName, { counter: at, units: spent }: Debit, returned: number): void {
    const leased = this.leasedBy(name, at)
    if (holds[at] === true) {
      const ended = Math.min(leased, spent + returned)
      this.#use(at, -ended)
      this.#lease(name, at, -ended)
      return
    }
    const covered = Math.min(leased, spent)
    const given = Math.min(leased - covered, returned)
    this.#use(at, spent - covered - given)
    this.#lease(name, at, -covered - given)
  }

  forget(name: NodeName): void {
    for (const at of counterTable.keys()) {
      const leased = this.leasedBy(name, at)
      if (holds[at] === true) this.#use(at, -leased)
      this.#lease(name, at, -leased)
    }
  }
}

const keyAt = (at: number) =>
  counterTable[at] ?? { key: '', terms: { kind: 'concurrency', amount: 0 } as const }
const entriesOf = (debits: readonly Debit[]) =>
  debits.map(({ counter: at, units }) => ({ ...keyAt(at), units }))

async function run(counters: CentralCounters, oracle: Oracle, command: Command): Promise<void> {
  const { node: name } = command
  switch (command.kind) {
    case 'take': {
      const outcome = await counters.take(entriesOf(command.debits))
      assert.equal(outcome.taken, oracle.take(name, command.debits))
      assert.deepEqual(
        outcome.standings.map((standing) => standing.remaining),
        command.debits.map((debit) => oracle.remaining(debit.counter)),
      )
      return
    }
    case 'adjust':
      oracle.adjust(name, command.debits)
      return counters.adjust(entriesOf(command.debits))
    case 'lease': {
      const { debit, least } = command
      const [grant] = await counters.lease([{ ...keyAt(debit.counter), wanted: debit.units, least }])
      assert.equal(grant?.units, oracle.lease(name, debit, least))
      return
    }
    case 'settle': {
      const { debit, returned } = command
      oracle.settle(name, debit, returned)
      return counters.settle([{ ...keyAt(debit.counter), spent: debit.units, returned }])
    }
    case 'forget':
      oracle.forget(name)
      return counters.forget()
    case 'renew':
      await counters.renew()
  }
}

export function testAgainstOracle(check: CheckCounters): void {
  check('property: random calls of three nodes do what the oracle does', async ({ open }) => {
    let round = 0
    const opened = new Map<NodeName, CentralCounters>()
    for (const name of nodeNames) opened.set(name, await open(name))
    const clean = async (): Promise<void> => {
      for (const counters of opened.values()) await counters.forget()
      const [counters] = opened.values()
      await counters?.adjust(
        counterTable.filter((_, at) => holds[at] !== true).map((key) => ({ ...key, units: -1e6 })),
      )
    }
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        round += 1
        await clean()
        const oracle = new Oracle()
        for (const [step, command] of list.entries()) {
          const counters = opened.get(command.node)
          assert.ok(counters !== undefined)
          await run(counters, oracle, command)
          const standings = await counters.read(counterTable)
          assert.deepEqual(
            standings.map((standing) => standing.remaining),
            counterTable.map((_, at) => oracle.remaining(at)),
            `run ${round}, after step ${step}: ${JSON.stringify(command)}`,
          )
        }
      }),
      { numRuns: 40 },
    )
  })
}
