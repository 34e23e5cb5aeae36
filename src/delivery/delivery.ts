/**
 * All sinks of this node: opened and closed as the configuration says, with one place per sink and lane in the store.
 *
 *   usage log ──exchanges──┐
 *                          ├──▶ sink ──▶ receiver
 *   spool    ──events──────┘      └──▶ dead letters
 */
import { isDeepStrictEqual } from 'node:util'
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { Clock } from '../kernel/clock.ts'
import type { EventCursor, EventLog } from '../ports/event-log.ts'
import type { EventSink } from '../ports/event-sink.ts'
import type { CursorBook } from './cursor-book.ts'
import { type DeadLetter, DeadLetters } from './dead-letters.ts'
import type { EventLane } from './event-lane.ts'
import type { EventSpool } from './event-spool.ts'
import { gapEvent } from './gap-event.ts'
import { type ReplayResult, SinkRunner, type SinkStatus, type SinkTerms } from './sink-runner.ts'

/** What a sink is to be: whatever else is in `settings` decides whether it must be opened anew. */
export interface SinkPlan {
  readonly terms: SinkTerms
  readonly settings: unknown
  open(): EventSink
}

export interface DeliveryOptions {
  readonly spool: EventSpool
  /** Exchanges; what retention takes from it before a sink has it is told as a gap. */
  readonly exchanges: EventLane
  readonly cursors: CursorBook
  /** The log of a sink's dead letters; made with the sink. */
  readonly openLetters: (sink: string) => Promise<EventLog>
  readonly clock: Clock
  readonly random: () => number
  readonly log: (text: string) => void
  /** Between looks at what the spool may let go, milliseconds; default 5,000. */
  readonly pruneEveryMs?: number
  /** Of a failed call, before the next; default 500 ms. */
  readonly firstPauseMs?: number
}

export interface SinkSummary {
  readonly name: string
  readonly delivered: number
  readonly retried: number
  readonly rejected: number
  readonly deadLetters: number
  readonly lagMs: number
}

const defaultPruneEveryMs = 5000

export class Delivery {
  readonly #options: DeliveryOptions
  readonly #sinks = new Map<string, { readonly plan: SinkPlan; readonly runner: SinkRunner }>()
  readonly #timer: NodeJS.Timeout
  #changing: Promise<void> = Promise.resolve()
  #plans: readonly SinkPlan[] = []
  /** Those that could not be opened, so that each is told once. */
  readonly #unopened = new Set<string>()

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.prune(), options.pruneEveryMs ?? defaultPruneEveryMs)
    this.#timer.unref()
  }

  /** Opens, closes and replaces sinks until they are as planned. */
  configure(plans: readonly SinkPlan[]): Promise<void> {
    this.#plans = plans
    this.#changing = this.#changing.then(() => this.#configure(plans))
    return this.#changing
  }

  figures(): readonly SinkSummary[] {
    return [...this.#sinks.values()].map(({ runner }) => ({ name: runner.terms.name, ...runner.figures }))
  }

  status(): Promise<readonly SinkStatus[]> {
    return Promise.all([...this.#sinks.values()].map(({ runner }) => runner.status()))
  }

  /** The oldest dead letters of a sink; null: there is no such sink. */
  async letters(name: string, most: number): Promise<readonly DeadLetter[] | null> {
    return (await this.#sinks.get(name)?.runner.letters(most)) ?? null
  }

  /** Send dead letters again; null: there is no such sink. */
  async replay(name: string): Promise<ReplayResult | null> {
    return (await this.#sinks.get(name)?.runner.replay()) ?? null
  }

  /** Lets go of what every sink has. One that could not be opened may want all of it: it is tried again first. */
  async prune(): Promise<void> {
    const { spool, log } = this.#options
    await this.#changing
    if (this.#sinks.size < this.#plans.length) await this.configure(this.#plans)
    if (this.#sinks.size < this.#plans.length) return
    try {
      await spool.prune(this.#slowest(spool.lane))
    } catch {
      log('Events that have arrived could not be removed from the spool.')
    }
  }

  /** Exchanges before `end` are about to go: whoever has not got them is told how many they are. */
  async beforeRemoval(end: EventCursor): Promise<void> {
    const { exchanges, spool, clock } = this.#options
    const gaps: OversightEvent[] = []
    for (const { runner } of this.#sinks.values()) {
      const from = runner.confirmed(exchanges)
      if (from === null || exchanges.log.compare(from, end) >= 0) continue
      let count = 0
      for await (const { payload } of exchanges.log.read(from, end)) {
        for (const { event } of exchanges.decode(payload)) if (runner.wants(event)) count += 1
      }
      if (count === 0) continue
      const resource = { kind: 'sink', id: runner.terms.name }
      gaps.push(gapEvent({ resource, mark: end, count, time: clock.now() }))
    }
    const fault = await spool.append(gaps)
    if (fault !== null) throw fault
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#changing
    await Promise.all([...this.#sinks.values()].map(({ runner }) => runner.close()))
    this.#sinks.clear()
  }

  #slowest(lane: EventLane): EventCursor {
    let slowest = lane.log.end()
    for (const { runner } of this.#sinks.values()) {
      const at = runner.confirmed(lane)
      if (at !== null && lane.log.compare(at, slowest) < 0) slowest = at
    }
    return slowest
  }

  async #configure(plans: readonly SinkPlan[]): Promise<void> {
    for (const [name, { plan, runner }] of this.#sinks) {
      const next = plans.find(({ terms }) => terms.name === name)
      if (next !== undefined && isSame(plan, next)) continue
      this.#sinks.delete(name)
      await runner.close()
    }
    for (const plan of plans) {
      const { name } = plan.terms
      if (this.#sinks.has(name)) continue
      try {
        this.#sinks.set(name, { plan, runner: await this.#open(plan) })
        this.#unopened.delete(name)
      } catch {
        if (this.#unopened.has(name)) continue
        this.#unopened.add(name)
        this.#options.log(`The sink ${name} cannot be opened: its dead letters or its place cannot be read.`)
      }
    }
  }

  async #open({ terms, open }: SinkPlan): Promise<SinkRunner> {
    const { spool, exchanges, cursors, openLetters, clock, random, log, firstPauseMs } = this.#options
    const letterLog = await openLetters(terms.name)
    try {
      const letters = await DeadLetters.open(letterLog, cursors, `${terms.name}/dead-letters`)
      const lanes = [exchanges, spool.lane]
      const pace = firstPauseMs === undefined ? {} : { firstPauseMs }
      const parts = { sink: open(), letters, lanes, cursors, clock, random, log, ...pace }
      const runner = new SinkRunner(terms, parts)
      await runner.start()
      return runner
    } catch (error) {
      await letterLog.close()
      throw error
    }
  }
}

function isSame(one: SinkPlan, other: SinkPlan): boolean {
  return isDeepStrictEqual([one.terms, one.settings], [other.terms, other.settings])
}
