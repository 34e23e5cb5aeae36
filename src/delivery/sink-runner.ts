/**
 * One sink at work: a reader for each lane, one gate for all its calls, its dead letters, and what to tell of it.
 */
import {
  type EventSeverity,
  type EventStream,
  eventSeverities,
  type OversightEvent,
} from '../domain/oversight-event.ts'
import type { Clock } from '../kernel/clock.ts'
import type { EventCursor } from '../ports/event-log.ts'
import type { EventSink } from '../ports/event-sink.ts'
import type { CursorBook } from './cursor-book.ts'
import type { DeadLetter, DeadLetterPage, DeadLetters } from './dead-letters.ts'
import { type DeliveryParts, type DeliveryReport, deliverBatch } from './deliver-batch.ts'
import type { EventLane } from './event-lane.ts'
import { type BatchBounds, LaneReader } from './lane-reader.ts'
import { SinkGate } from './sink-gate.ts'

export interface SinkTerms {
  readonly name: string
  readonly type: string
  readonly streams: readonly EventStream[]
  readonly minSeverity: EventSeverity
  readonly batch: BatchBounds
  /** Most batches under way. */
  readonly concurrency: number
  readonly timeoutMs: number
}

export interface SinkRunnerParts {
  readonly sink: EventSink
  readonly letters: DeadLetters
  readonly lanes: readonly EventLane[]
  readonly cursors: CursorBook
  readonly clock: Clock
  readonly random: () => number
  /** What went wrong, for operators; holds neither content nor secret. */
  readonly log: (text: string) => void
  readonly firstPauseMs?: number
}

export interface SinkFigures {
  readonly delivered: number
  readonly retried: number
  readonly rejected: number
}

export interface SinkStatus extends SinkFigures {
  readonly name: string
  readonly type: string
  /** `half-open`: the next call is a probe. */
  readonly circuit: 'closed' | 'half-open' | 'open'
  /** Calls that may be under way now. */
  readonly places: number
  /** Age of the oldest event that has not arrived, milliseconds. */
  readonly lagMs: number
  /** Bytes on disk that it has not got through. */
  readonly waitingBytes: number
  readonly deadLetters: number
  /** What went wrong last, while it is; empty: nothing is. */
  readonly problem: string
}

export interface ReplayResult {
  readonly delivered: number
  readonly rejected: number
  /** Letters that are left. */
  readonly remaining: number
}

/** Letters that one call takes at least; a frame more where one ends later. */
const replaySize = 1000

export class SinkRunner {
  readonly terms: SinkTerms
  readonly #parts: SinkRunnerParts
  readonly #closing = new AbortController()
  readonly #delivery: DeliveryParts
  readonly #gate: SinkGate
  readonly #readers = new Map<EventLane, LaneReader>()
  readonly #figures = { delivered: 0, retried: 0, rejected: 0 }
  #problem = ''
  #replaying: Promise<unknown> = Promise.resolve()

  constructor(terms: SinkTerms, parts: SinkRunnerParts) {
    this.terms = terms
    this.#parts = parts
    const { sink, letters, clock, random, firstPauseMs } = parts
    const pace = firstPauseMs === undefined ? {} : { firstPauseMs }
    this.#gate = new SinkGate({ most: terms.concurrency, clock, random, ...pace })
    this.#delivery = {
      sink,
      gate: this.#gate,
      timeoutMs: terms.timeoutMs,
      now: () => clock.now(),
      signal: this.#closing.signal,
      bury: async (dead) => (await letters.add(dead)) === null,
      report: (report) => this.#note(report),
    }
    for (const lane of parts.lanes) this.#readers.set(lane, this.#openReader(lane))
  }

  async start(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.start()
  }

  /** Where it is in a lane; null: not known yet. */
  confirmed(lane: EventLane): EventCursor | null {
    return this.#readers.get(lane)?.confirmed ?? null
  }

  wants(event: OversightEvent): boolean {
    const { streams, minSeverity } = this.terms
    return (
      streams.includes(event.stream) &&
      eventSeverities.indexOf(event.severity) >= eventSeverities.indexOf(minSeverity)
    )
  }

  async status(): Promise<SinkStatus> {
    const { name, type } = this.terms
    let waitingBytes = 0
    for (const [{ log }, reader] of this.#readers)
      if (reader.confirmed !== null) waitingBytes += await log.size(reader.confirmed)
    return {
      name,
      type,
      circuit: this.#gate.circuit,
      places: this.#gate.places,
      ...this.figures,
      waitingBytes,
      problem: this.#problem,
    }
  }

  get figures() {
    const lagMs = Math.max(0, ...[...this.#readers.values()].map((reader) => reader.lagMs))
    return { ...this.#figures, lagMs, deadLetters: this.#parts.letters.count }
  }

  letters(most: number): Promise<readonly DeadLetter[]> {
    return this.#parts.letters.read(most).then((page) => page.letters.slice(0, most))
  }

  /** Sends dead letters again, one portion at a time; what is rejected again is a dead letter again. */
  replay(): Promise<ReplayResult> {
    const next = this.#replaying.then(() => this.#replay())
    this.#replaying = next.catch(() => undefined)
    return next
  }

  async #replay(): Promise<ReplayResult> {
    const { letters } = this.#parts
    const page: DeadLetterPage = await letters.read(replaySize)
    let rejected = 0
    const report = (each: DeliveryReport): void => {
      rejected += each.rejected
      this.#note(each)
    }
    const events = page.letters.map(({ event }) => event)
    const size = this.terms.batch.events
    for (let at = 0; at < events.length; at += size)
      await deliverBatch(events.slice(at, at + size), { ...this.#delivery, report })
    await letters.drop(page.end)
    return { delivered: events.length - rejected, rejected, remaining: letters.count }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const reader of this.#readers.values()) await reader.stop()
    await this.#replaying
    await this.#parts.sink.close().catch(() => undefined)
    await this.#parts.letters.close()
  }

  #openReader(lane: EventLane): LaneReader {
    const { cursors, clock, log } = this.#parts
    const { name, batch } = this.terms
    return new LaneReader({
      lane,
      cursors,
      cursorName: `${name}/${lane.name}`,
      bounds: batch,
      clock,
      wants: (event) => this.wants(event),
      deliver: (events) => deliverBatch(events, this.#delivery),
      onFailure: () =>
        log(`Events for ${name} cannot be read, or their place cannot be stored; tried again.`),
    })
  }

  #note({ delivered, retried, rejected, problem }: DeliveryReport): void {
    const { name } = this.terms
    this.#figures.delivered += delivered
    this.#figures.retried += retried
    this.#figures.rejected += rejected
    if (rejected > 0)
      this.#parts.log(`${rejected} events for ${name} are dead letters: ${problem || 'rejected'}.`)
    const trouble = retried > 0 ? problem || 'events are sent again' : ''
    if (trouble !== '' && this.#problem === '') this.#parts.log(`Events wait for ${name}: ${trouble}.`)
    else if (trouble === '' && this.#problem !== '') this.#parts.log(`Events arrive at ${name} again.`)
    this.#problem = trouble
  }
}
