/** What is counted at one place: an exchange's part, or what a thread has put aside for many. */
import type { LimitRule } from '../domain/limits.ts'
import type { CounterPlace } from '../ports/node-counters.ts'
import type { PartKind } from './meters.ts'

/** A counter of a rule, by name. */
export interface NamedPlace extends CounterPlace {
  readonly subject: string
  readonly key: string
}

export interface CountedPart extends CounterPlace {
  readonly rule: LimitRule
  readonly kind: PartKind
  readonly place: NamedPlace
  /** After the last move. */
  readonly left: number
  /** That, and what this thread has put aside of it and given to no exchange. */
  readonly available: number
  /** Not counted. */
  readonly skipped: boolean
}
