/**
 * Which traces are sent on, decided when it is known what became of them: those with an error, a refusal, a long
 * duration or a high cost; of the others a share. Exchanges of one trace wait for each other for `waitMs`, and are
 * decided together; those that come later follow the decision.
 *
 * Bounds: `maxTraces` and `maxBytes` wait. Where there is no room, the oldest is decided at once, on what is known.
 */
import { isFailed } from './spans-of-record.ts'
import { isWithinRatio } from './trace-ids.ts'
import type { TraceRecord } from './trace-record.ts'

export interface TailRules {
  /** Kept from this duration on; null: duration keeps none. */
  readonly slowMs: number | null
  /** Kept from this cost on, US dollars; null: cost keeps none. */
  readonly costUsd: number | null
  readonly errors: boolean
  readonly refused: boolean
  /** Share of all others, 0 to 1. */
  readonly ratio: number
  readonly waitMs: number
}

export interface TailBounds {
  readonly maxTraces: number
  readonly maxBytes: number
}

export const defaultTailBounds: TailBounds = Object.freeze({ maxTraces: 20_000, maxBytes: 33_554_432 })

interface Waiting {
  readonly records: TraceRecord[]
  readonly since: number
  bytes: number
  isWanted: boolean
}

export interface TailSamplerParts {
  /** As they are now; null: every trace is kept. */
  readonly rules: () => TailRules | null
  readonly keep: (record: TraceRecord) => void
  readonly drop: (record: TraceRecord) => void
  readonly now: () => number
  readonly bounds?: TailBounds
}

export class TailSampler {
  readonly #parts: TailSamplerParts
  readonly #bounds: TailBounds
  /** Oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  /** What was decided lately; as many as may wait. */
  readonly #decided = new Map<string, boolean>()
  #bytes = 0

  constructor(parts: TailSamplerParts) {
    this.#parts = parts
    this.#bounds = parts.bounds ?? defaultTailBounds
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** `bytes`: what it takes to hold. */
  add(record: TraceRecord, bytes: number): void {
    const { rules: current, keep, drop, now } = this.#parts
    const rules = current()
    if (rules === null) return keep(record)
    const decided = this.#decided.get(record.traceId)
    if (decided !== undefined) return (decided || isWanted(record, rules) ? keep : drop)(record)
    const known = this.#waiting.get(record.traceId)
    if (known === undefined) {
      const fresh = { records: [record], since: now(), bytes, isWanted: isWanted(record, rules) }
      this.#waiting.set(record.traceId, fresh)
    } else {
      known.records.push(record)
      known.bytes += bytes
      known.isWanted ||= isWanted(record, rules)
    }
    this.#bytes += bytes
    while (this.#waiting.size > this.#bounds.maxTraces || this.#bytes > this.#bounds.maxBytes)
      this.#decideOldest(rules)
  }

  /** Decide what has waited long enough; without rules, or with `all`, everything. */
  sweep(all = false): void {
    const rules = this.#parts.rules()
    const now = this.#parts.now()
    for (const { since } of this.#waiting.values()) {
      const passed = now - since
      // A clock that was set back must not hold traces.
      if (!all && rules !== null && passed >= 0 && passed < rules.waitMs) return
      this.#decideOldest(rules)
    }
  }

  #decideOldest(rules: TailRules | null): void {
    for (const [traceId, { records, bytes, isWanted: wanted }] of this.#waiting) {
      this.#waiting.delete(traceId)
      this.#bytes -= bytes
      const isKept = rules === null || wanted || isWithinRatio(traceId, rules.ratio)
      this.#remember(traceId, isKept)
      for (const record of records) (isKept ? this.#parts.keep : this.#parts.drop)(record)
      return
    }
  }

  #remember(traceId: string, isKept: boolean): void {
    this.#decided.set(traceId, isKept)
    if (this.#decided.size <= this.#bounds.maxTraces) return
    for (const oldest of this.#decided.keys()) {
      this.#decided.delete(oldest)
      return
    }
  }
}

function isWanted(record: TraceRecord, rules: TailRules): boolean {
  if (
    rules.errors &&
    (isFailed(record) || record.calls.some(({ outcome }) => outcome !== 'ok' && outcome !== 'abandoned'))
  )
    return true
  if (rules.refused && record.outcome === 'refused') return true
  if (rules.slowMs !== null && record.durationMs >= rules.slowMs) return true
  return rules.costUsd !== null && (record.costMicroUsd ?? 0) >= rules.costUsd * 1e6
}
