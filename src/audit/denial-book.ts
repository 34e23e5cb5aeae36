/**
 * Requests that were denied, on their way into the audit log. The first of its kind gets an entry at once; what is alike
 * then is counted, and becomes one entry when its window ends. While it goes on the window doubles.
 *
 *   denied ─▶ kind: organization, reason, key ─▶ entry ─(1 min)─▶ entry ×n ─(2)─(4)─(8)─(16)─(16)─▶ …   none: forgotten
 *
 * So a flood costs the disk some ninety entries a day for each kind, whatever its size, and none of it is uncounted but
 * what a crash takes with it. Callers who proved nothing have one kind for each reason: they cannot make more. Beyond
 * `maxKinds`, what comes new is counted by its reason alone. No entry says from where, or in whose name, it came: an entry
 * stands for many, and what a caller wrote could not be taken out of the log again.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { AuditDetails } from './entry.ts'

const firstWindowMs = 60_000
const maxWindowMs = 16 * firstWindowMs
const settleEveryMs = 5000
const maxKinds = 500

export interface DenialBook {
  /** Takes security events; others are passed over. */
  add(events: readonly OversightEvent[]): void
  /** Entries of the windows that have ended. */
  settle(): void
  /** Entries of everything that waits. Resolves with how many denials could not be stored. */
  close(): Promise<number>
}

export interface DenialBookParts {
  readonly record: (event: OversightEvent, details: AuditDetails) => Promise<void>
  /** Unix milliseconds. */
  readonly now: () => number
}

interface Kind {
  readonly isRest: boolean
  windowMs: number
  endsAt: number
  /** First of those that wait; null: none. */
  first: OversightEvent | null
  /** Time of the last. */
  until: number
  count: number
  isWriting: boolean
}

function entryOf(event: OversightEvent, isRest: boolean): OversightEvent {
  const { actor, exchange } = event
  const who = isRest ? ({ kind: 'unknown', id: '', applicationId: '' } as const) : actor
  return {
    ...event,
    id: `${exchange?.requestId ?? event.id}.denied`,
    organizationId: isRest ? '' : event.organizationId,
    actor: { ...who, address: '', endUser: '' },
    // Names of models are what the caller wrote.
    exchange: exchange === null ? null : { ...exchange, model: '', traceId: '' },
  }
}

class FoldingBook implements DenialBook {
  readonly #parts: DenialBookParts
  /** Bound: `maxKinds`, and one for each reason. */
  readonly #kinds = new Map<string, Kind>()
  readonly #writing = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null

  constructor(parts: DenialBookParts) {
    this.#parts = parts
  }

  add(events: readonly OversightEvent[]): void {
    for (const event of events) if (event.stream === 'security') this.#count(event)
    if (this.#kinds.size > 0) this.#timer ??= setInterval(() => this.settle(), settleEveryMs).unref()
  }

  #count(event: OversightEvent): void {
    const own = JSON.stringify([event.organizationId, event.reason, event.actor.id])
    const isRest = !this.#kinds.has(own) && this.#kinds.size >= maxKinds
    const key = isRest ? event.reason : own
    const known = this.#kinds.get(key)
    const kind = known ?? this.#begin(isRest)
    kind.first ??= event
    kind.until = event.time
    kind.count += event.count ?? 1
    if (known !== undefined) return
    this.#kinds.set(key, kind)
    this.#write(kind)
  }

  #begin(isRest: boolean): Kind {
    const endsAt = this.#parts.now() + firstWindowMs
    return { isRest, windowMs: firstWindowMs, endsAt, first: null, until: 0, count: 0, isWriting: false }
  }

  /** What cannot be stored waits for the end of the next window. */
  #write(kind: Kind): void {
    const { first, until, count } = kind
    if (first === null || kind.isWriting) return
    Object.assign(kind, { first: null, count: 0, isWriting: true })
    const details = count === 1 ? {} : { repeats: count - 1, until }
    const written = this.#parts
      .record(entryOf(first, kind.isRest), details)
      .catch(() => {
        kind.first = first
        kind.until = Math.max(kind.until, until)
        kind.count += count
      })
      .finally(() => {
        kind.isWriting = false
        this.#writing.delete(written)
      })
    this.#writing.add(written)
  }

  settle(): void {
    const now = this.#parts.now()
    for (const [key, kind] of this.#kinds) {
      // A clock that was set back must not hold entries for longer than a window.
      if (now < kind.endsAt && kind.endsAt - now <= kind.windowMs) continue
      if (kind.first === null) {
        if (!kind.isWriting) this.#kinds.delete(key)
        continue
      }
      kind.windowMs = Math.min(kind.windowMs * 2, maxWindowMs)
      kind.endsAt = now + kind.windowMs
      this.#write(kind)
    }
  }

  async close(): Promise<number> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await Promise.all(this.#writing)
    for (const kind of this.#kinds.values()) this.#write(kind)
    await Promise.all(this.#writing)
    return [...this.#kinds.values()].reduce((sum, { count }) => sum + count, 0)
  }
}

export function createDenialBook(parts: DenialBookParts): DenialBook {
  return new FoldingBook(parts)
}
