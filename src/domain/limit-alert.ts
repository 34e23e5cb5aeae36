/** A share of a limit that one counter has passed, which its rule says to tell. */
import type { LimitMeter, LimitSubject } from './limits.ts'

/** What a thread saw. Threads and nodes see the same alert several times; it is raised once. */
export interface LimitAlertSighting {
  readonly organizationId: string
  /** As `LimitRule.id`. */
  readonly limitId: string
  readonly limitName: string
  readonly meter: LimitMeter
  readonly per: readonly LimitSubject[]
  /** The counter; at most `maxAlertSubjectLength` characters. Personal where `per` names `user` or `address`. */
  readonly subject: string
  /** Start of the calendar period, or of the stretch of time in which another rule alerts once. Unix milliseconds. */
  readonly periodStartsAt: number
  /** Share of the amount, 0 to 1, as the rule has it. */
  readonly threshold: number
  /** What the counter holds when it is full, with top-ups, in units of the meter. */
  readonly amount: number
  readonly used: number
  /** Unix milliseconds. */
  readonly at: number
}

export interface LimitAlert extends LimitAlertSighting {
  readonly id: string
}

export const maxAlertSubjectLength = 1000

const personalSubjects: ReadonlySet<LimitSubject> = new Set(['user', 'address'])

/** True where the subject tells of a person: it is shown to the organization that asks, and goes nowhere else. */
export function isPersonal({ per }: Pick<LimitAlertSighting, 'per'>): boolean {
  return per.some((subject) => personalSubjects.has(subject))
}
