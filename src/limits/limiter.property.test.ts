/**
 * A limiter against the exact model, on one node with two worker threads' worth of limiters, in random interleavings:
 * requests, progress within and beyond what was reserved, ends, aborts, and workers that die with exchanges under way.
 *
 * Proven bounds, where R is what exchanges under way have reserved:
 *   never over     in every window w a rule's exchanges use at most burst + rate·w units, at most `amount` per period,
 *                  and hold at most `amount` at once (to 10^-6 of a unit);
 *   never under    an exchange is refused only where a rule that refuses it has less than it needs left beside what
 *                  was used and R; so is what an exchange asks for beyond its reservation.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LimitMeter, LimitRule } from '../domain/limits.ts'
import { ExactCounter } from '../ports/node-counters.contract-model.ts'
import { compileLimits } from './compile-limits.ts'
import { FakeTime } from './harness/fake-time.ts'
import { admitNow, type Client, noon, openNode, requestOf, ruleOf, usedOf } from './harness/samples.ts'
import type { LimitActual, LimitRequest } from './limit-request.ts'
import { createLimiter } from './limiter.ts'
import { unitsOf } from './meters.ts'
import type { Reservation } from './verdict.ts'

const rules: readonly LimitRule[] = [
  ruleOf({ name: 'rpm', meter: 'requests', amount: 30, window: { kind: 'rolling', ms: 10_000, burst: 7 } }),
  ruleOf({
    name: 'tpm',
    meter: 'total-tokens',
    amount: 2000,
    window: { kind: 'rolling', ms: 7000, burst: null },
  }),
  ruleOf({
    name: 'out',
    meter: 'output-tokens',
    amount: 900,
    window: { kind: 'rolling', ms: 3001, burst: 1300 },
  }),
  ruleOf({
    name: 'money',
    meter: 'cost',
    amount: 40_000,
    window: { kind: 'calendar', period: 'minute', timeZone: 'UTC' },
  }),
  ruleOf({ name: 'calls', meter: 'concurrent-requests', amount: 4 }),
]

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'ask'; readonly worker: number; readonly input: number; readonly output: number }
  | { readonly kind: 'progress' | 'end'; readonly which: number; readonly share: number }
  | { readonly kind: 'beyond'; readonly which: number; readonly output: number }
  | { readonly kind: 'die'; readonly worker: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(4000) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        worker: fc.nat(1),
        input: fc.nat(400),
        output: fc.nat(700),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('progress' as const, 'end' as const),
        which: fc.nat(5),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('beyond' as const),
        which: fc.nat(5),
        output: fc.integer({ min: 1, max: 300 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), worker: fc.nat(1) }) },
  ),
  { maxLength: 120 },
)

interface UnderWay {
  readonly worker: number
  readonly request: LimitRequest
  readonly reservation: Reservation
  /** Started in this minute. */
  readonly minute: number
  /** Figures up to now. */
  used: LimitActual
  /** Of each rule: units counted as used, as the model was told. */
  readonly counted: number[]
}

interface Use {
  readonly at: number
  readonly units: number
}

class World {
  readonly time = new FakeTime(noon)
  readonly #open = openNode({ slots: 256, tickets: 64 })
  readonly #models = new Map<string, ExactCounter>()
  readonly #workers: Client[]
  readonly uses: Use[][] = rules.map(() => [])
  underWay: UnderWay[] = []

  constructor() {
    this.#workers = [this.#start(0), this.#start(1)]
  }

  #start(owner: number): Client {
    const { time } = this
    const counters = this.#open(owner)
    const limiter = createLimiter({
      counters,
      calendarCounters: null,
      rateCounters: null,
      clock: time,
      timers: time,
    })
    return { limiter, limits: compileLimits(rules, [], []) }
  }

  #modelOf(rule: LimitRule, minute: number): ExactCounter {
    const name = rule.window?.kind === 'calendar' ? `${rule.name} ${minute}` : rule.name
    let model = this.#models.get(name)
    if (model === undefined) {
      const { window, amount } = rule
      const terms =
        window?.kind === 'rolling'
          ? { amount, windowMs: window.ms, burst: window.burst ?? amount }
          : { amount: 0, windowMs: 1, burst: amount }
      model = new ExactCounter(terms, this.time.now())
      this.#models.set(name, model)
    }
    return model
  }

  #minute(): number {
    return Math.floor(this.time.now() / 60_000)
  }

  ask(worker: number, own: Partial<LimitRequest>): void {
    const client = this.#workers[worker]
    assert.ok(client !== undefined)
    const request = requestOf(own)
    const verdict = admitNow(client, own)
    const missing: string[] = []
    for (const rule of rules) {
      const there = this.#modelOf(rule, this.#minute()).micros(this.time.now())
      const wanted = BigInt(unitsOf(rule.meter, request)) * 1_000_000n
      if (verdict.allowed) assert.ok(wanted <= there + 2n, `${rule.name}: ${wanted} of ${there} allowed`)
      if (wanted > there) missing.push(rule.name)
    }
    if (verdict.allowed) this.#begin(worker, request, verdict.reservation)
    else assert.ok(missing.includes(verdict.rule.name), `${verdict.rule.name} refused, short: ${missing}`)
  }

  #begin(worker: number, request: LimitRequest, reservation: Reservation): void {
    const minute = this.#minute()
    const counted = rules.map((rule, index) => {
      const units = unitsOf(rule.meter, request)
      const isCounted = rule.meter === 'requests'
      this.#modelOf(rule, minute).move(isCounted ? 0 : units, isCounted ? units : 0)
      if (isCounted) this.uses[index]?.push({ at: this.time.now(), units })
      return 0
    })
    this.underWay.push({ worker, request, reservation, minute, used: usedOf(), counted })
  }

  progress(exchange: UnderWay, share: number): void {
    exchange.used = figuresAt(exchange, share)
    assert.equal(exchange.reservation.progress(exchange.used), null)
    for (const [index, rule] of rules.entries()) this.#count(exchange, index, rule)
  }

  /** As a reservation does: what was used is counted when it is a quarter of what is still held. */
  #count(exchange: UnderWay, index: number, rule: LimitRule): void {
    if (!isReserved(rule.meter)) return
    const counted = exchange.counted[index] ?? 0
    const news = unitsOf(rule.meter, exchange.used) - counted
    const held = unitsOf(rule.meter, exchange.request) - counted
    if (news < 1 || news < held * 0.25) return
    this.#use(exchange, index, news)
  }

  #use(exchange: UnderWay, index: number, units: number): void {
    const rule = rules[index]
    if (rule === undefined || units === 0) return
    const model = this.#modelOf(rule, exchange.minute)
    model.micros(this.time.now())
    model.move(-Math.min(units, heldOf(exchange, index, rule)), units)
    exchange.counted[index] = (exchange.counted[index] ?? 0) + units
    this.uses[index]?.push({ at: this.time.now(), units })
  }

  /** More than was reserved is taken from all rules that lack it, or refused by one of them. */
  beyond(exchange: UnderWay, output: number): void {
    const { request, used } = exchange
    const figures = usedOf({
      inputTokens: request.inputTokens,
      outputTokens: Math.max(used.outputTokens, request.outputTokens) + output,
      costMicroUsd: Math.max(used.costMicroUsd, request.costMicroUsd) + 10 * output,
    })
    const answer = exchange.reservation.progress(figures)
    const short: string[] = []
    const taken: (readonly [number, number])[] = []
    for (const [index, rule] of rules.entries()) {
      if (!isReserved(rule.meter)) continue
      const news = unitsOf(rule.meter, figures) - (exchange.counted[index] ?? 0)
      const lacking = BigInt(Math.max(0, news - heldOf(exchange, index, rule))) * 1_000_000n
      const there = this.#modelOf(rule, exchange.minute).micros(this.time.now())
      if (answer === null) assert.ok(lacking <= there + 2n, `${rule.name}: ${lacking} of ${there} taken`)
      if (lacking > there) short.push(rule.name)
      taken.push([index, news])
    }
    if (answer !== null) return assert.ok(short.includes(answer.name), `${answer.name} ended it: ${short}`)
    exchange.used = figures
    for (const [index, news] of taken) this.#use(exchange, index, news)
  }

  end(exchange: UnderWay, share: number): void {
    exchange.used = figuresAt(exchange, share)
    exchange.reservation.settle(exchange.used)
    for (const [index, rule] of rules.entries()) {
      if (isReserved(rule.meter)) {
        this.#use(exchange, index, unitsOf(rule.meter, exchange.used) - (exchange.counted[index] ?? 0))
      }
    }
    this.#letGo(exchange)
  }

  #letGo(exchange: UnderWay): void {
    this.underWay = this.underWay.filter((each) => each !== exchange)
    for (const [index, rule] of rules.entries()) {
      if (rule.meter === 'requests') continue
      const model = this.#modelOf(rule, exchange.minute)
      model.micros(this.time.now())
      model.move(-heldOf(exchange, index, rule), 0)
    }
  }

  die(worker: number): void {
    this.#open(2).forget(worker, this.time.now())
    for (const exchange of this.underWay.filter((each) => each.worker === worker)) this.#letGo(exchange)
    this.#workers[worker] = this.#start(worker)
  }
}

/** Units that an exchange holds and has not used yet. */
function heldOf({ request, counted }: UnderWay, index: number, { meter }: LimitRule): number {
  return Math.max(0, unitsOf(meter, request) - (counted[index] ?? 0))
}

function isReserved(meter: LimitMeter): boolean {
  return meter.endsWith('-tokens') || meter === 'cost'
}

/** Never less than before, never more than was reserved. */
function figuresAt({ request, used }: UnderWay, share: number): LimitActual {
  return usedOf({
    inputTokens: request.inputTokens,
    outputTokens: Math.max(used.outputTokens, Math.floor(request.outputTokens * share)),
    costMicroUsd: Math.max(used.costMicroUsd, Math.floor(request.costMicroUsd * share)),
  })
}

function checkWindows(world: World): void {
  for (const [index, rule] of rules.entries()) {
    const uses = world.uses[index] ?? []
    const { window } = rule
    if (window?.kind !== 'rolling') continue
    for (let first = 0; first < uses.length; first += 1) {
      let used = 0
      for (let last = first; last < uses.length; last += 1) {
        used += uses[last]?.units ?? 0
        const ms = (uses[last]?.at ?? 0) - (uses[first]?.at ?? 0)
        const most = (window.burst ?? rule.amount) + (rule.amount * ms) / window.ms
        assert.ok(used <= most + 1e-6, `${rule.name}: ${used} in ${ms} ms, at most ${most}`)
      }
    }
  }
}

test('property: never over the bound, never under it', () => {
  fc.assert(
    fc.property(steps, (story) => {
      const world = new World()
      for (const step of story) {
        if (step.kind === 'pass') world.time.jump(step.ms)
        else if (step.kind === 'die') world.die(step.worker)
        else if (step.kind === 'ask') {
          const own = { inputTokens: step.input, outputTokens: step.output, costMicroUsd: 10 * step.output }
          world.ask(step.worker, own)
        } else {
          const exchange = world.underWay[step.which % Math.max(1, world.underWay.length)]
          if (exchange === undefined) continue
          if (step.kind === 'end') world.end(exchange, step.share)
          else if (step.kind === 'beyond') world.beyond(exchange, step.output)
          else world.progress(exchange, step.share)
        }
      }
      checkWindows(world)
    }),
    { numRuns: 1200 },
  )
})
