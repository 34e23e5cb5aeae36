/**
 * Events that a sink will never take as they are: kept on disk with the reason, until somebody has seen to it and lets
 * them be sent again. One log per sink, synced with each entry; beyond its bound the oldest segments go.
 *
 *   rejected ─▶ append ─▶ …………… ─▶ replay: read up to the end, deliver, move the place behind what was read
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { Fault } from '../kernel/fault.ts'
import type { EventCursor, EventLog } from '../ports/event-log.ts'
import type { CursorBook } from './cursor-book.ts'

export interface DeadLetter {
  /** Unix milliseconds of its refusal. */
  readonly at: number
  readonly reason: string
  readonly event: OversightEvent
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  /** The place behind them. */
  readonly end: EventCursor
}

const maxReasonLength = 500

export class DeadLetters {
  readonly #log: EventLog
  readonly #cursors: CursorBook
  readonly #cursorName: string
  #kept = 0

  private constructor(log: EventLog, cursors: CursorBook, cursorName: string) {
    this.#log = log
    this.#cursors = cursors
    this.#cursorName = cursorName
  }

  static async open(log: EventLog, cursors: CursorBook, cursorName: string): Promise<DeadLetters> {
    const letters = new DeadLetters(log, cursors, cursorName)
    await letters.#count()
    return letters
  }

  /** Letters that wait. */
  get count(): number {
    return this.#kept
  }

  /** Resolves when they are on disk; with the fault where they could not be kept. */
  async add(letters: readonly DeadLetter[]): Promise<Fault | null> {
    const lines = letters.map((letter) =>
      JSON.stringify({ ...letter, reason: letter.reason.slice(0, maxReasonLength) }),
    )
    const fault = await new Promise<Fault | null>((resolve) =>
      this.#log.append(Buffer.from(`${lines.join('\n')}\n`), resolve),
    )
    if (fault === null) {
      this.#kept += letters.length
      await this.#trim()
    }
    return fault
  }

  /** Over its bound the oldest go, and are no longer counted. Where that fails, it is done with the next letter. */
  async #trim(): Promise<void> {
    const removed = await this.#log.prune(this.#log.end()).catch(() => 0)
    if (removed > 0) await this.#count()
  }

  /** The oldest that wait: whole frames until there are `most`, and at least one frame. */
  async read(most: number): Promise<DeadLetterPage> {
    const letters: DeadLetter[] = []
    let end = this.#log.end()
    for await (const frame of this.#log.read(await this.#place(), end)) {
      end = frame.cursor
      letters.push(...lettersOf(frame.payload))
      if (letters.length >= most) break
    }
    return { letters, end }
  }

  /** What was read up to `end` is seen to. */
  async drop(end: EventCursor): Promise<void> {
    await this.#cursors.save(this.#cursorName, end)
    await this.#count()
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  async #count(): Promise<void> {
    let count = 0
    for await (const { payload } of this.#log.read(await this.#place())) count += lettersOf(payload).length
    this.#kept = count
  }

  async #place(): Promise<EventCursor | null> {
    const place = await this.#cursors.read(this.#cursorName)
    // A directory that was emptied by hand begins anew.
    return place !== null && this.#log.compare(place, this.#log.end()) <= 0 ? place : null
  }
}

function lettersOf(payload: Buffer): DeadLetter[] {
  return payload
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeadLetter)
}
