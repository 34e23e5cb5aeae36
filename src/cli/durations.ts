/** Durations and times as people write them on a command line. */
import { CliFailure } from './cli-failure.ts'

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 7 * 86_400_000],
])

/** `250ms`, `90s`, `15m`, `24h`, `30d`, `2w` in milliseconds. @throws CliFailure */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})(ms|[smhdw])$/.exec(text)
  const unit = units.get(match?.[2] ?? '')
  if (match === null || unit === undefined) {
    throw new CliFailure('usage', `${text} is not a duration.`, 'Write for example 15m, 24h or 30d.')
  }
  return Number(match[1]) * unit
}

/** A duration from `now`, or a date (`2027-01-31`, ISO 8601), in Unix milliseconds. @throws CliFailure */
export function parseMoment(text: string, now: number): number {
  if (/^\d{1,6}[smhdw]$/.test(text)) return now + parseDuration(text)
  const time = Date.parse(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time)) {
    throw new CliFailure(
      'usage',
      `${text} is not a time.`,
      'Write for example 90d, 2027-01-31 or 2027-01-31T12:00:00Z.',
    )
  }
  return time
}

/** Milliseconds as people say them, in two units at most: `250ms`, `42s`, `3m 20s`, `12d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  let rest = Math.ceil(ms / 1000)
  const parts: string[] = []
  for (const [unit, length] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / length)
    rest -= count * length
    if (count > 0) parts.push(`${count}${unit}`)
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break
  }
  return parts.join(' ')
}
