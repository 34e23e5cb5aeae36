/**
 * Three nodes on central counters, in random interleavings of exchanges, nodes that are killed and replaced, stores
 * that are lost, and answers that are. Proven bounds (N nodes, leases L = 2 % of the amount / N as known when leased,
 * R units reserved by exchanges under way):
 *
 *   budgets   never more is used and reserved than the amount and what nodes owe: a node whose lease is used up may
 *             grant running exchanges no more than the largest of them asked for, and a step, until it knows better;
 *             when all is quiet the store has counted every unit that was used, and beyond these at most what killed
 *             nodes had leased and what lost answers were about
 *   rates     a window w uses at most burst + rate·w + N·L + R
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LimitRule } from '../domain/limits.ts'
import type { CounterTerms } from '../ports/central-counters.ts'
import { type Cluster, type ClusterNode, createCluster, type Line, leaseTtlMs } from './harness/cluster.ts'
import { admitLater, noon, ruleOf, usedOf } from './harness/samples.ts'
import type { Reservation } from './verdict.ts'

const nodeCount = 3
const day: CounterTerms = {
  kind: 'calendar',
  amount: 20_000,
  startsAt: Date.UTC(2026, 0, 15),
  endsAt: Date.UTC(2026, 0, 16),
}
const rules: readonly LimitRule[] = [
  ruleOf({
    name: 'money',
    meter: 'cost',
    amount: day.amount,
    window: { kind: 'calendar', period: 'day', timeZone: 'UTC' },
    onStoreLoss: 'closed',
  }),
  ruleOf({
    name: 'rpm',
    meter: 'requests',
    amount: 1200,
    window: { kind: 'rolling', ms: 60_000, burst: 60 },
    onStoreLoss: 'closed',
  }),
  ruleOf({
    name: 'tpm',
    meter: 'output-tokens',
    amount: 90_000,
    window: { kind: 'rolling', ms: 60_000, burst: 9000 },
    onStoreLoss: 'closed',
  }),
]
/** Less than the time for which the store keeps leases. */
const longestOutageMs = 3000
const mostOutput = 1500
/** Asked for beyond a reservation at once. */
const mostMore = 200

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'ask'; readonly node: number; readonly output: number; readonly times: number }
  | { readonly kind: 'end'; readonly which: number; readonly share: number }
  | { readonly kind: 'more'; readonly which: number; readonly units: number }
  | { readonly kind: 'kill' | 'lose' | 'break'; readonly node: number }

const someNode = fc.nat(nodeCount - 1)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(700) }) },
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        node: someNode,
        output: fc.integer({ min: 1, max: mostOutput }),
        times: fc.integer({ min: 1, max: 8 }),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('end' as const),
        which: fc.nat(20),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('more' as const),
        which: fc.nat(20),
        units: fc.integer({ min: 1, max: mostMore }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('kill' as const, 'lose' as const, 'break' as const),
        node: someNode,
      }),
    },
  ),
  { minLength: 20, maxLength: 150 },
)

interface UnderWay {
  readonly node: ClusterNode
  /** Reserved, and granted beyond it. */
  output: number
  /** Told so far. */
  used: number
  readonly reservation: Reservation
}
interface Use {
  readonly at: number
  readonly units: number
}

class Story {
  readonly cluster: Cluster = createCluster(rules)
  readonly nodes: ClusterNode[] = []
  readonly requests: Use[] = []
  readonly tokens: Use[] = []
  underWay: UnderWay[] = []
  #started = 0
  #spent = 0
  /** What the store may have counted beyond what was used. */
  #lost = 0
  readonly #lines: Line[] = []
  #mostReserved = 0

  constructor() {
    for (let index = 0; index < nodeCount; index += 1) this.nodes.push(this.#start())
  }

  #start(): ClusterNode {
    this.#started += 1
    const node = this.cluster.start(`node${this.#started}`)
    this.#lines.push(node.line)
    return node
  }

  async run(story: readonly Step[]): Promise<void> {
    for (const step of story) {
      await this.#do(step)
      this.#check()
    }
    await this.#calmDown()
  }

  async #do(step: Step): Promise<void> {
    if (step.kind === 'pass') return this.cluster.time.pass(step.ms)
    if (step.kind === 'end') return this.#end(step)
    if (step.kind === 'more') return this.#askMore(step)
    const node = this.nodes[step.node]
    if (node === undefined) return
    if (step.kind === 'ask') return this.#ask(node, step)
    if (step.kind === 'kill') return this.#kill(step.node)
    if (step.kind === 'lose') node.line.losesNext = true
    else this.#breakLine(node)
  }

  async #ask(
    node: ClusterNode,
    { output, times }: { readonly output: number; readonly times: number },
  ): Promise<void> {
    const asks = Array.from({ length: times }, () =>
      admitLater(node, { outputTokens: output, costMicroUsd: output }),
    )
    for (const verdict of await Promise.all(asks)) {
      if (!verdict.allowed) continue
      this.underWay.push({ node, output, used: 0, reservation: verdict.reservation })
      this.requests.push({ at: this.cluster.time.now(), units: 1 })
    }
  }

  #end({ which, share }: { readonly which: number; readonly share: number }): void {
    const [exchange] = this.underWay.splice(which % Math.max(1, this.underWay.length), 1)
    if (exchange === undefined) return
    const units = Math.max(exchange.used, Math.floor(exchange.output * share))
    exchange.reservation.settle(usedOf({ outputTokens: units, costMicroUsd: units }))
    this.tokens.push({ at: this.cluster.time.now(), units })
    this.#spent += units
  }

  #askMore({ which, units }: { readonly which: number; readonly units: number }): void {
    const exchange = this.underWay[which % Math.max(1, this.underWay.length)]
    if (exchange === undefined) return
    const all = exchange.output + units
    const rule = exchange.reservation.progress(usedOf({ outputTokens: all, costMicroUsd: all }))
    if (rule !== null) return
    exchange.output = all
    exchange.used = all
  }

  async #kill(index: number): Promise<void> {
    // What has reached the node is on its books.
    await this.cluster.time.pass(0)
    const node = this.nodes[index]
    if (node === undefined) return
    const counter = node.counters.counter({
      key: '{org_a}ltm_money:',
      startsAt: Date.UTC(2026, 0, 15),
      group: 'org_a',
      leased: true,
    })
    const held = node.counters.read(counter, day, this.cluster.time.now())?.held ?? 0
    this.#lost += held + Math.max(0, node.counters.readLease(counter)?.balance ?? 0)
    node.kill()
    for (const exchange of this.underWay) if (exchange.node === node) this.#lost += exchange.used
    this.underWay = this.underWay.filter((exchange) => exchange.node !== node)
    this.nodes[index] = this.#start()
  }

  #breakLine(node: ClusterNode): void {
    if (node.line.isDown) return
    node.line.isDown = true
    this.cluster.time.set(longestOutageMs, () => {
      node.line.isDown = !node.isAlive
    })
  }

  #check(): void {
    const reserved = this.underWay.reduce((sum, { output }) => sum + output, 0)
    this.#mostReserved = Math.max(this.#mostReserved, reserved)
    const most = day.amount + nodeCount * (mostOutput + mostMore)
    assert.ok(this.#spent + reserved <= most, `${this.#spent} spent, ${reserved} reserved`)
  }

  async #calmDown(): Promise<void> {
    while (this.underWay.length > 0) this.#end({ which: 0, share: 0.5 })
    await this.cluster.time.pass(longestOutageMs + 2 * leaseTtlMs)
    const counted = await this.cluster.usedOf('{org_a}ltm_money:', day)
    const lost = this.#lost + this.#lines.reduce((sum, { unsure }) => sum + unsure, 0)
    assert.ok(counted >= this.#spent, `${counted} counted, ${this.#spent} spent`)
    assert.ok(counted <= this.#spent + lost, `${counted} counted, ${this.#spent} spent, ${lost} lost`)
    // Leases are granted by the number of nodes then known: while they start, each may take a lone node's.
    checkWindows(this.requests, { burst: 60 + nodeCount * 0.02 * 1200, perMs: 1200 / 60_000 })
    const stranded = nodeCount * 0.02 * 90_000 + this.#mostReserved
    checkWindows(this.tokens, { burst: 9000 + stranded, perMs: 90_000 / 60_000 })
    this.cluster.time.stop()
  }
}

function checkWindows(
  uses: readonly Use[],
  { burst, perMs }: { readonly burst: number; readonly perMs: number },
): void {
  for (let first = 0; first < uses.length; first += 1) {
    let used = 0
    for (let last = first; last < uses.length; last += 1) {
      used += uses[last]?.units ?? 0
      const most = burst + perMs * ((uses[last]?.at ?? 0) - (uses[first]?.at ?? 0))
      assert.ok(used <= most + 1e-6, `${used} used, at most ${most}`)
    }
  }
}

test('property: budgets and rates hold over nodes that die, stores that are lost and answers that are', async () => {
  assert.ok(noon > Date.UTC(2026, 0, 15))
  await fc.assert(
    fc.asyncProperty(steps, (story) => new Story().run(story)),
    { numRuns: 100 },
  )
})
