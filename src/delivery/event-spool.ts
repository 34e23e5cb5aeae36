/**
 * Events that are not in the usage log, on disk until every sink has them: security, audit, and requests of callers who
 * proved no key. One log; what is appended is durable when `append` says so.
 *
 * Bound: `maxBytes`. Beyond it nothing is taken, so that whoever needs the event on record refuses what would make it;
 * requests of unknown callers may fill half of it, so that nobody from outside can bring administrators to a stop.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { EventCursor, EventLog } from '../ports/event-log.ts'
import type { EventLane, SizedEvent } from './event-lane.ts'

export interface EventSpoolOptions {
  readonly log: EventLog
  readonly maxBytes: () => number
  /** False: nobody would read it, and nothing is kept. */
  readonly isWanted: () => boolean
}

/** `outside`: of callers who proved nothing. */
export type EventOrigin = 'own' | 'outside'

export class EventSpool {
  readonly lane: EventLane
  readonly #options: EventSpoolOptions
  #bytes = 0

  private constructor(options: EventSpoolOptions) {
    this.#options = options
    this.lane = { name: 'events', log: options.log, decode: decodeEvents }
  }

  static async open(options: EventSpoolOptions): Promise<EventSpool> {
    const spool = new EventSpool(options)
    await spool.measure()
    return spool
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Resolves with null when they are on disk. */
  append(events: readonly OversightEvent[], origin: EventOrigin = 'own'): Promise<Fault | null> {
    const { log, maxBytes, isWanted } = this.#options
    if (events.length === 0 || !isWanted()) return Promise.resolve(null)
    const lines = Buffer.from(`${events.map((event) => JSON.stringify(event)).join('\n')}\n`)
    const room = origin === 'own' ? maxBytes() : maxBytes() / 2
    if (this.#bytes + lines.length > room) {
      const internal = 'too many events wait for a sink (events.spoolBytes)'
      return Promise.resolve(new Fault(faults.storageUnavailable, { internal }))
    }
    this.#bytes += lines.length
    return new Promise((resolve) => log.append(lines, resolve))
  }

  /** Lets go of what lies before `keep`. */
  async prune(keep: EventCursor): Promise<void> {
    if ((await this.#options.log.prune(keep)) > 0) await this.measure()
  }

  async measure(): Promise<void> {
    this.#bytes = await this.#options.log.size(null)
  }
}

function* decodeEvents(payload: Buffer): Generator<SizedEvent, void, undefined> {
  for (const line of payload.toString('utf8').split('\n')) {
    const event = readEvent(line)
    if (event !== null) yield { event, bytes: line.length }
  }
}

function readEvent(line: string): OversightEvent | null {
  if (line === '') return null
  try {
    return JSON.parse(line) as OversightEvent
  } catch {
    return null
  }
}
