import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LimitPeriod } from '../domain/limits.ts'
import { createCalendar } from './calendar.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

function periodAt(period: LimitPeriod, timeZone: string, instant: string): readonly [string, string] {
  const { startsAt, endsAt } = createCalendar(period, timeZone).periodAt(Date.parse(instant))
  return [new Date(startsAt).toISOString(), new Date(endsAt).toISOString()]
}

const cases: readonly {
  readonly of: string
  readonly period: LimitPeriod
  readonly zone: string
  readonly at: string
  readonly from: string
  readonly to: string
}[] = [
  // biome-ignore-start format: the columns are the point
  {
    of: 'minute',
    period: 'minute',
    zone: 'Asia/Kolkata',
    at: '2026-03-01T12:34:56.789Z',
    from: '2026-03-01T12:34:00.000Z',
    to: '2026-03-01T12:35:00.000Z',
  },
  {
    of: 'hour of a zone that is half an hour off',
    period: 'hour',
    zone: 'Asia/Kolkata',
    at: '2026-03-01T12:34:56.789Z',
    from: '2026-03-01T12:30:00.000Z',
    to: '2026-03-01T13:30:00.000Z',
  },
  {
    of: 'day',
    period: 'day',
    zone: 'Europe/Berlin',
    at: '2026-01-15T23:30:00Z',
    from: '2026-01-15T23:00:00.000Z',
    to: '2026-01-16T23:00:00.000Z',
  },
  {
    of: 'day of 23 hours',
    period: 'day',
    zone: 'Europe/Berlin',
    at: '2026-03-29T12:00:00Z',
    from: '2026-03-28T23:00:00.000Z',
    to: '2026-03-29T22:00:00.000Z',
  },
  {
    of: 'day of 25 hours',
    period: 'day',
    zone: 'Europe/Berlin',
    at: '2026-10-25T01:30:00Z',
    from: '2026-10-24T22:00:00.000Z',
    to: '2026-10-25T23:00:00.000Z',
  },
  {
    of: 'day whose midnight does not exist',
    period: 'day',
    zone: 'Africa/Cairo',
    at: '2026-04-24T06:00:00Z',
    from: '2026-04-23T22:00:00.000Z',
    to: '2026-04-24T21:00:00.000Z',
  },
  {
    of: 'day whose first hour comes twice',
    period: 'day',
    zone: 'America/Havana',
    at: '2026-11-01T05:30:00Z',
    from: '2026-11-01T04:00:00.000Z',
    to: '2026-11-02T05:00:00.000Z',
  },
  {
    of: 'day whose last hour comes twice',
    period: 'day',
    zone: 'America/Sao_Paulo',
    at: '2018-02-18T02:30:00Z',
    from: '2018-02-17T02:00:00.000Z',
    to: '2018-02-18T03:00:00.000Z',
  },
  {
    of: 'day before one that was left out',
    period: 'day',
    zone: 'Pacific/Apia',
    at: '2011-12-30T05:00:00Z',
    from: '2011-12-29T10:00:00.000Z',
    to: '2011-12-30T10:00:00.000Z',
  },
  {
    of: 'week: Monday to Monday',
    period: 'week',
    zone: 'UTC',
    at: '2026-01-01T00:00:00Z',
    from: '2025-12-29T00:00:00.000Z',
    to: '2026-01-05T00:00:00.000Z',
  },
  {
    of: 'week on its Sunday',
    period: 'week',
    zone: 'America/New_York',
    at: '2026-03-08T22:00:00Z',
    from: '2026-03-02T05:00:00.000Z',
    to: '2026-03-09T04:00:00.000Z',
  },
  {
    of: 'February of a leap year',
    period: 'month',
    zone: 'UTC',
    at: '2028-02-29T23:59:59.999Z',
    from: '2028-02-01T00:00:00.000Z',
    to: '2028-03-01T00:00:00.000Z',
  },
  {
    of: 'February of a common year',
    period: 'month',
    zone: 'Asia/Tokyo',
    at: '2026-02-28T14:59:59.999Z',
    from: '2026-01-31T15:00:00.000Z',
    to: '2026-02-28T15:00:00.000Z',
  },
  {
    of: 'February of 2100, which is no leap year',
    period: 'month',
    zone: 'UTC',
    at: '2100-02-28T23:00:00Z',
    from: '2100-02-01T00:00:00.000Z',
    to: '2100-03-01T00:00:00.000Z',
  },
  {
    of: 'month seen from its 31st',
    period: 'month',
    zone: 'UTC',
    at: '2026-01-31T12:00:00Z',
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
  },
  {
    of: 'December',
    period: 'month',
    zone: 'Pacific/Kiritimati',
    at: '2026-12-31T09:59:59Z',
    from: '2026-11-30T10:00:00.000Z',
    to: '2026-12-31T10:00:00.000Z',
  },
  // biome-ignore-end format: the columns are the point
]

for (const { of, period, zone, at, from, to } of cases) {
  test(`${of} (${zone})`, () => assert.deepEqual(periodAt(period, zone, at), [from, to]))
}

test('property: periods follow each other without gap or overlap, in every zone', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom<LimitPeriod>('day', 'week', 'month'),
      fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2060, 0) }),
      (zone, period, now) => {
        const { startsAt, endsAt } = createCalendar(period, zone).periodAt(now)
        assert.ok(startsAt <= now && now < endsAt)
        const fresh = createCalendar(period, zone)
        assert.deepEqual(fresh.periodAt(startsAt), { startsAt, endsAt })
        assert.deepEqual(fresh.periodAt(endsAt - 1), { startsAt, endsAt })
        assert.equal(fresh.periodAt(endsAt).startsAt, endsAt)
        // The clock moves by an hour or two, twice in Apia and Kwajalein by a day.
        const days = (endsAt - startsAt) / dayMs
        const longest = { day: 2.1, week: 8.1, month: 32.1 }[period as 'day' | 'week' | 'month']
        assert.ok(days > 0.8 && days <= longest, `${days} days`)
      },
    ),
    { numRuns: 150 },
  )
})

test('a calendar keeps the period that it found while it lasts', () => {
  const calendar = createCalendar('day', 'Europe/Berlin')
  const noon = Date.parse('2026-06-01T12:00:00Z')
  const first = calendar.periodAt(noon)
  assert.equal(calendar.periodAt(noon + hourMs), first)
  assert.notEqual(calendar.periodAt(noon + dayMs), first)
  // A clock that is put back meets the period of then.
  assert.deepEqual(calendar.periodAt(noon), first)
})

test('what is no time zone is refused', () => {
  assert.throws(() => createCalendar('day', 'Europe/Atlantis'), RangeError)
})
