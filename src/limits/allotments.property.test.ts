/**
 * Allotments against the exact model: two threads' limiters on one node, bursts of exchanges at once, settled or under
 * way, and threads that die. Every counter is asked for often, so that all that can be allotted is.
 *
 *   never over     as in limiter.property.test.ts, whatever dies;
 *   hardly under   an exchange is refused only where less is left than it needs beside 1/128 for each thread and what
 *                  was used and not yet counted;
 *   settled        when nothing is under way, nothing is held, budgets know what was used to the unit, and rates too,
 *                  but for what drained while the counter did not know.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LimitRule } from '../domain/limits.ts'
import { ExactCounter } from '../ports/node-counters.contract-model.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import { compileLimits, termsAt } from './compile-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import {
  admitNow,
  type Client,
  noon,
  openNode,
  requestOf,
  ruleOf,
  thisMonth,
  usedOf,
} from './harness/samples.ts'
import type { LimitActual, LimitRequest } from './limit-request.ts'
import { createLimiter } from './limiter.ts'
import { unitsOf } from './meters.ts'
import { counterKeyOf } from './subjects.ts'
import type { Reservation } from './verdict.ts'

const seconds = (count: number, burst: number | null) =>
  ({ kind: 'rolling', ms: count * 1000, burst }) as const
const rules: readonly LimitRule[] = [
  ruleOf({ name: 'rate', meter: 'requests', amount: 9000, window: seconds(10, 5000) }),
  ruleOf({ name: 'tokens', meter: 'total-tokens', amount: 400_000, window: seconds(7, null) }),
  ruleOf({ name: 'money', meter: 'cost', amount: 30_000_000, window: thisMonth }),
  ruleOf({ name: 'calls', meter: 'concurrent-requests', amount: 6000 }),
]
const threads = 2
/** Put aside, and as much again that exchanges have given back. */
const allotted = 2 / 256
/** Allotments are tended every 50 ms, and given back at the second time. */
const settledAfterMs = 150

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | {
      readonly kind: 'burst'
      readonly worker: number
      readonly count: number
      readonly tokens: number
      readonly keep: number
    }
  | { readonly kind: 'end'; readonly share: number }
  | { readonly kind: 'die'; readonly worker: number }

const steps = (withDeaths: boolean): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(1500) }) },
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('burst' as const),
          worker: fc.nat(threads - 1),
          count: fc.integer({ min: 1, max: 900 }),
          tokens: fc.integer({ min: 1, max: 120 }),
          keep: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('end' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      ...(withDeaths
        ? [
            {
              weight: 1,
              arbitrary: fc.record({ kind: fc.constant('die' as const), worker: fc.nat(threads - 1) }),
            },
          ]
        : []),
    ),
    { maxLength: 40 },
  )

interface Worker extends Client {
  isAlive: boolean
}

interface UnderWay {
  readonly worker: number
  readonly request: LimitRequest
  readonly reservation: Reservation
}

class World {
  readonly time = new FakeTime(noon)
  readonly #open = openNode({ slots: 256, tickets: 8192 })
  readonly #models: readonly ExactCounter[]
  readonly #workers: Worker[]
  readonly uses: { at: number; units: number }[][] = rules.map(() => [])
  underWay: UnderWay[] = []
  /** Exchanges that were admitted out of an allotment leave no hold of their own. */
  admitted = 0
  #hasLost = false

  constructor() {
    this.#models = rules.map(({ window, amount }) => {
      const terms =
        window?.kind === 'rolling'
          ? { amount, windowMs: window.ms, burst: window.burst ?? amount }
          : { amount: 0, windowMs: 1, burst: amount }
      return new ExactCounter(terms, this.time.now())
    })
    this.#workers = Array.from({ length: threads }, (_, owner) => this.#start(owner))
  }

  #start(owner: number): Worker {
    const { time } = this
    // The timers of a thread die with it.
    const timers = {
      set: (delayMs: number, fire: () => void) => time.set(delayMs, () => worker.isAlive && fire()),
      stop: () => {},
    }
    const limiter = createLimiter({
      counters: this.#open(owner),
      calendarCounters: null,
      rateCounters: null,
      clock: time,
      timers,
      hotFrom: 0,
    })
    const worker = { limiter, limits: compileLimits(rules, [], []), isAlive: true }
    return worker
  }

  #left(index: number): number {
    return Number(this.#models[index]?.micros(this.time.now())) / 1e6
  }

  burst({ worker, count, tokens, keep }: Extract<Step, { kind: 'burst' }>): void {
    const own = { inputTokens: tokens, outputTokens: 2 * tokens, costMicroUsd: 40 * tokens }
    for (let at = 0; at < count; at += 1) {
      const exchange = this.#ask(worker, own)
      if (exchange === null) return
      if (at >= count * keep) this.#end(exchange, 0.5)
      else this.underWay.push(exchange)
    }
  }

  #ask(worker: number, own: Partial<LimitRequest>): UnderWay | null {
    const client = this.#workers[worker]
    assert.ok(client !== undefined)
    const request = requestOf(own)
    const verdict = admitNow(client, own)
    const units = rules.map((rule) => unitsOf(rule.meter, request))
    const left = rules.map((_, index) => this.#left(index))
    if (!verdict.allowed) {
      const index = rules.indexOf(verdict.rule)
      const slack =
        (verdict.rule.window?.kind === 'rolling' ? (verdict.rule.window.burst ?? 0) : 0) ||
        verdict.rule.amount
      const late = (slack * settledAfterMs) / 1000
      const most = (units[index] ?? 0) + threads * slack * allotted + late
      assert.ok(
        this.#hasLost || (left[index] ?? 0) < most,
        `${verdict.rule.name} refused with ${left[index]} left`,
      )
      return null
    }
    this.admitted += 1
    for (const [index, rule] of rules.entries()) {
      assert.ok((left[index] ?? 0) + 1e-3 >= (units[index] ?? 0), `${rule.name}: ${left[index]} left`)
      const isCounted = rule.meter === 'requests'
      this.#models[index]?.move(isCounted ? 0 : (units[index] ?? 0), isCounted ? 1 : 0)
      if (isCounted) this.uses[index]?.push({ at: this.time.now(), units: 1 })
    }
    return { worker, request, reservation: verdict.reservation }
  }

  #end({ request, reservation }: UnderWay, share: number): void {
    const used: LimitActual = usedOf({
      inputTokens: request.inputTokens,
      outputTokens: Math.floor(request.outputTokens * share),
      costMicroUsd: Math.floor(request.costMicroUsd * share),
    })
    reservation.settle(used)
    for (const [index, rule] of rules.entries()) {
      if (rule.meter === 'requests') continue
      const units = rule.meter === 'concurrent-requests' ? 0 : unitsOf(rule.meter, used)
      this.#left(index)
      this.#models[index]?.move(-unitsOf(rule.meter, request), units)
      if (units > 0) this.uses[index]?.push({ at: this.time.now(), units })
    }
  }

  endAll(share: number): void {
    for (const exchange of this.underWay) this.#end(exchange, share)
    this.underWay = []
  }

  die(worker: number): void {
    this.#hasLost = true
    const dead = this.#workers[worker]
    assert.ok(dead !== undefined)
    dead.isAlive = false
    assert.equal(this.#open(3).forget(worker, this.time.now()), true)
    for (const { request } of this.underWay.filter((each) => each.worker === worker)) {
      for (const [index, rule] of rules.entries()) {
        this.#left(index)
        if (rule.meter !== 'requests') this.#models[index]?.move(-unitsOf(rule.meter, request), 0)
      }
    }
    this.underWay = this.underWay.filter((each) => each.worker !== worker)
    this.#workers[worker] = this.#start(worker)
  }

  /** Nothing is under way any more, and everybody has had time to count. */
  async settle(): Promise<void> {
    this.endAll(1)
    await this.time.pass(settledAfterMs)
    const counters = this.#open(3)
    for (const [index, rule] of rules.entries()) this.#checkSettled(counters, index, rule)
  }

  #checkSettled(counters: NodeCounters, index: number, rule: LimitRule): void {
    const compiled = compileLimits([rule], [], []).candidatesOf(requestOf())[0]
    assert.ok(compiled !== undefined)
    const terms = termsAt(compiled, '', this.time.now())
    const startsAt = terms.kind === 'calendar' ? terms.startsAt : 0
    const key = counterKeyOf(rule.organizationId, rule.id, '')
    const counter = counters.counter({ key, startsAt, group: rule.organizationId, leased: false })
    const reading = counters.read(counter, terms, this.time.now())
    const left = reading?.left ?? (terms.kind === 'rolling' ? terms.burst : terms.amount)
    assert.equal(reading?.held ?? 0, 0, `${rule.name} holds`)
    const drainedUnknown = terms.kind === 'rolling' ? (terms.amount * settledAfterMs) / terms.windowMs : 0
    const expected = this.#left(index)
    assert.ok(left <= expected + 1e-3, `${rule.name}: ${left} left, ${expected} by the model`)
    if (!this.#hasLost)
      assert.ok(left >= expected - drainedUnknown - 1e-3, `${rule.name}: ${left} of ${expected}`)
  }
}

function checkWindows(world: World): void {
  for (const [index, rule] of rules.entries()) {
    const { window } = rule
    if (window?.kind !== 'rolling') continue
    // The bucket that drains by the rule holds no more than the burst at any time, which says the same of all windows.
    let level = 0
    let at = noon
    for (const use of world.uses[index] ?? []) {
      level = Math.max(0, level - ((use.at - at) * rule.amount) / window.ms) + use.units
      at = use.at
      assert.ok(level <= (window.burst ?? rule.amount) + 1e-3, `${rule.name}: ${level} used at once`)
    }
  }
}

async function tell(story: readonly Step[]): Promise<World> {
  const world = new World()
  for (const step of story) {
    if (step.kind === 'pass') await world.time.pass(step.ms)
    else if (step.kind === 'burst') world.burst(step)
    else if (step.kind === 'end') world.endAll(step.share)
    else world.die(step.worker)
  }
  await world.settle()
  checkWindows(world)
  return world
}

/** Found once: what 890 exchanges gave back at once stayed with their thread, and the other found too little. */
const givenBack: Step[] = [
  { kind: 'burst', worker: 0, count: 604, tokens: 41, keep: 0 },
  { kind: 'burst', worker: 0, count: 894, tokens: 36, keep: 0.9955257270693514 },
  { kind: 'end', share: 0 },
  { kind: 'burst', worker: 1, count: 715, tokens: 118, keep: 0.9972027972027974 },
]

for (const withDeaths of [false, true]) {
  test(`property: what is allotted is never over the bound${withDeaths ? ', whatever thread dies' : ', nor lost'}`, async () => {
    let admitted = 0
    await fc.assert(
      fc.asyncProperty(steps(withDeaths), async (story) => {
        admitted += (await tell(story)).admitted
      }),
      { numRuns: 120, examples: [[givenBack]] },
    )
    assert.ok(admitted > 100_000, `only ${admitted} exchanges were admitted`)
  })
}
