/**
 * Calendar periods in an IANA time zone. A period begins at the first instant whose local time is its beginning or
 * later, so that periods never overlap and leave nothing out: also where the clock is put forward over midnight (the
 * first instant after it) or back over midnight (the first of the two).
 *
 * Assumed: offsets are whole minutes, as in all zones of today. An hour is one of the local clock.
 */
import type { LimitPeriod } from '../domain/limits.ts'

/** Unix milliseconds, `endsAt` is the first instant of the next period. */
export interface CalendarPeriod {
  readonly startsAt: number
  readonly endsAt: number
}

export interface Calendar {
  /** The period that holds the instant `now`. */
  periodAt(now: number): CalendarPeriod
}

const minuteMs = 60_000
const hourMs = 3_600_000
/** Local time is at most 14 hours ahead of UTC and 12 behind. */
const farthestAheadMs = 15 * hourMs
const farthestBehindMs = 13 * hourMs
const searchStepMs = 1000

/** Throws a RangeError where `timeZone` is none. */
export function createCalendar(period: LimitPeriod, timeZone: string): Calendar {
  const readClock = localClock(timeZone)
  let current: CalendarPeriod = { startsAt: 0, endsAt: 0 }
  return {
    periodAt(now) {
      if (now >= current.startsAt && now < current.endsAt) return current
      current = findPeriod(period, now, readClock)
      return current
    },
  }
}

/** Local time, written as the Unix milliseconds at which a clock in UTC shows the same. */
type LocalClock = (instant: number) => number

function localClock(timeZone: string): LocalClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const field = new Map<string, number>()
    for (const { type, value } of format.formatToParts(instant)) field.set(type, Number(value))
    const read = (type: string): number => field.get(type) ?? 0
    return Date.UTC(
      read('year'),
      read('month') - 1,
      read('day'),
      read('hour'),
      read('minute'),
      read('second'),
    )
  }
}

function findPeriod(period: LimitPeriod, now: number, readClock: LocalClock): CalendarPeriod {
  if (period === 'minute') return fixedPeriod(now - (now % minuteMs), minuteMs)
  if (period === 'hour') return fixedPeriod(now - (readClock(now) % hourMs) - (now % 1000), hourMs)
  const local = readClock(now)
  for (let step = -1; step <= 1; step += 1) {
    const found = {
      startsAt: instantOf(beginningOf(period, local, step), readClock),
      endsAt: instantOf(beginningOf(period, local, step + 1), readClock),
    }
    // Almost always the middle one; the others where the clock was put back over midnight.
    if (now >= found.startsAt && now < found.endsAt) return found
  }
  throw new RangeError('no calendar period holds this instant')
}

function fixedPeriod(startsAt: number, lengthMs: number): CalendarPeriod {
  return { startsAt, endsAt: startsAt + lengthMs }
}

/** Local beginning of the period that is `step` after the one of the local time `local`. */
function beginningOf(period: 'day' | 'week' | 'month', local: number, step: number): number {
  const date = new Date(local)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (period === 'month') return Date.UTC(year, month + step, 1)
  if (period === 'day') return Date.UTC(year, month, day + step)
  // Weeks begin on Monday (ISO 8601).
  const sinceMonday = (date.getUTCDay() + 6) % 7
  return Date.UTC(year, month, day - sinceMonday + 7 * step)
}

/** The first instant whose local time is `local` or later. */
function instantOf(local: number, readClock: LocalClock): number {
  let before = local - farthestAheadMs
  let after = local + farthestBehindMs
  while (after - before > searchStepMs) {
    const middle = before + Math.floor((after - before) / 2 / searchStepMs) * searchStepMs
    if (readClock(middle) >= local) after = middle
    else before = middle
  }
  return after
}
