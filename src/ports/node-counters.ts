/**
 * Port: the counters of one node, in memory that all its threads share. Synchronous and atomic over many counters:
 * all parts of a move are done, or none, also when the thread dies inside.
 *
 * A counter is kept *here* (rolling, calendar, concurrency: this memory is the authority), or it is *leased*: its
 * units come from the central counters in advance (`credit`) and are spent here.
 *
 *   kept here   available = amount or burst - used - held      used drains where the terms are rolling
 *   leased      available = balance                            every move takes from it or puts back
 *
 * Held units belong to exchanges under way. They do not drain, so that letting go of what was not used is exact:
 * in every window w at most burst + rate·w units are used. They are noted by thread: `forget` lets go of those of a
 * thread that died, or counts them, as each part says. Bounds: slots for counters, tickets for holds, parts of a move; beyond them a move is refused.
 */
import type { CounterTerms } from './central-counters.ts'

export interface CounterName {
  /** Name among the central counters, at most 120 ASCII characters. */
  readonly key: string
  /** Start of the calendar period, 0 for none: each period is a counter of its own. */
  readonly startsAt: number
  /** Who counts together when the table runs full: the organization. */
  readonly group: string
  readonly leased: boolean
}
/** A counter by name, as `counter` made it; worth keeping, because it remembers where the counter is. */
export type NodeCounter = CounterName

/** Most parts of one move. */
export const maxCounterParts = 64

export interface CounterPlace {
  readonly counter: NodeCounter
  readonly terms: CounterTerms
}

/** What a move does to one counter. All units are whole. */
export interface CounterPart extends CounterPlace {
  /**
   * Where there is not enough. `firm`: the whole move is refused; `soft`: this part is left out; `forced`: done all
   * the same. What is not firm goes into debt of a leased counter, and is short only when the units are known not to
   * be there.
   */
  check: 'firm' | 'soft' | 'forced'
  /** Units to put aside now; negative: to let go of, at most what is held. */
  hold: number
  /** Units to count as used now; negative: counted too many before. */
  use: number
  /** Written by `move`: units put aside by this part and not let go of. */
  held: number
  /** Written by `move`: names the hold for when the thread dies; 0: nothing is held. */
  ticket: number
  /** When the thread dies, what is held counts as used; else it is let go of. The same in every move of a part. */
  readonly usedAtDeath?: boolean
  /** Written by `move`: there was not enough. */
  short: boolean
  /** Written by `move`: units available after it; less than 0: more was used than there was. */
  left: number
}

/** `full`: no slot or ticket is free. `busy`: a lock was not let go of in time. Nothing is changed by either. */
export type MoveOutcome = 'moved' | 'short' | 'full' | 'busy'

/** What is known of a leased counter. Times are Unix milliseconds. */
export interface LeaseReading {
  readonly balance: number
  /** What the central counter had left when it was last heard of; null: never yet. */
  readonly centralLeft: number | null
  readonly centralResetAt: number
  /** Until then the central counter is known not to have `dryUnits` or more. */
  readonly dryUntil: number
  readonly dryUnits: number
}

export interface LeaseCredit {
  readonly units: number
  readonly centralLeft: number
  readonly centralResetAt: number
  readonly dryUntil: number
  readonly dryUnits: number
}

/** Of a leased counter: what to tell the central counters. */
export interface LeaseReport {
  readonly key: string
  readonly terms: CounterTerms
  /** Used out of leases since the last report. Stays until `reported`. */
  readonly spent: number
  /** Used beyond all leases: to be debited; below 0: reported too much before. Stays until `reported`. */
  readonly debt: number
  /** Taken out of the balance by `collect`, to be given back; lost when that fails. */
  readonly returned: number
}

export interface CounterReading {
  /** As `left` of a part. */
  readonly left: number
  readonly held: number
  /** When all units will be there again if nothing more is used; null: unknown. Unix milliseconds. */
  readonly fullAt: number | null
}

/** Figures of a rule: how often each happened since the start of the process. */
export const ruleFigures = ['refused', 'exceeded', 'unavailable'] as const
export type RuleFigure = (typeof ruleFigures)[number]

export interface CounterTableFigures {
  readonly slots: number
  readonly slotsUsed: number
  /** Moves refused since the start because the table or the tickets were full. */
  readonly full: number
  /** Moves refused since the start because a lock was not let go of in time. */
  readonly busy: number
}

export interface NodeCounters {
  counter(name: CounterName): NodeCounter
  /** Do all `parts` or none. No counter stands in it twice. `now` in Unix milliseconds, as everywhere here. */
  move(parts: readonly CounterPart[], now: number): MoveOutcome
  /** Null: nothing is counted there. */
  read(counter: NodeCounter, terms: CounterTerms, now: number): CounterReading | null
  readLease(counter: NodeCounter): LeaseReading | null

  /** True for one caller until `until`: it fetches a lease ahead of need. */
  claimFetch(counter: NodeCounter, now: number, until: number): boolean
  /** A lease has come (or, with 0 units, was refused): add it and end the claim. False: no room, the units are lost. */
  credit(part: CounterPlace, credit: LeaseCredit, now: number): boolean
  /** The central counters are out of reach: see to it that this node granted itself `share` units since it heard them. */
  grantShare(part: CounterPlace, share: number, now: number): boolean
  /** Leased counters with something to tell: spent units, and balances unused for `idleMs`. */
  collect(now: number, idleMs: number): readonly LeaseReport[]
  /** The central counters have taken `spent` or `debt` of the report. */
  reported(report: LeaseReport, what: 'spent' | 'debt', now: number): void

  countFigure(ruleId: string, figure: RuleFigure): void
  readFigures(ruleId: string): Readonly<Record<RuleFigure, number>>
  readonly table: CounterTableFigures

  /** How many nodes share their counters, as `noteNodes` was told last by any thread; null: nobody knows. */
  readonly nodes: number | null
  noteNodes(nodes: number): void

  /** Free the slots that nothing is counted in any more, `share` (0 to 1) of the table at a time. */
  sweep(now: number, share: number): void
  /**
   * The thread that opened these counters as `owner` has ended: undo what it left half done, let go of its locks and
   * holds. To be called once for each end, before another thread opens them as the same owner. False: another dead
   * thread is in the way; forget that one, then call again.
   */
  forget(owner: number, now: number): boolean
}
