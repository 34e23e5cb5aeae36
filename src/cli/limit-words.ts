/**
 * Limits as people say them, on the command line and in tables: `100 requests per minute, 20 at once`,
 * `$500 per calendar month in Europe/Berlin`, `5 concurrent-streams`. What is said is checked by the control plane.
 */
import type { components } from '../../clients/typescript/schema.gen.ts'
import { CliFailure } from './cli-failure.ts'

type Schemas = components['schemas']
type Meter = Schemas['LimitTerms']['meter']
type Terms = Pick<Schemas['LimitTerms'], 'meter' | 'amount' | 'window'>

const meters: readonly Meter[] = [
  'requests',
  'input-tokens',
  'output-tokens',
  'total-tokens',
  'cost',
  'concurrent-requests',
  'concurrent-streams',
]
const periods = ['minute', 'hour', 'day', 'week', 'month'] as const

/** An amount of the meter: dollars with their sign, counts with what is counted. */
export function describeAmount(meter: Meter, amount: number): string {
  return meter === 'cost' ? `$${amount}` : `${amount} ${meter}`
}

/** What a limit allows. `parseLimitWords` reads it again. */
export function describeLimit({ meter, amount, window }: Terms): string {
  const much = describeAmount(meter, amount)
  if (window === null) return much
  if (typeof window === 'string') return `${much} per ${window}`
  if ('rolling' in window) {
    const burst = window.burst === undefined ? '' : `, ${window.burst} at once`
    return `${much} per ${window.rolling}${burst}`
  }
  const { calendar, timeZone = 'UTC' } = window
  return `${much} per calendar ${calendar}${timeZone === 'UTC' ? '' : ` in ${timeZone}`}`
}

function notUnderstood(text: string): CliFailure {
  return new CliFailure(
    'usage',
    `${text} is not a limit.`,
    "Write for example '100 requests per minute', '$500 per calendar month in Europe/Berlin' or '5 concurrent-streams'.",
  )
}

function parseNumber(word: string | undefined): number | null {
  const number = Number(word)
  return word === undefined || word === '' || !Number.isFinite(number) ? null : number
}

/** `$2.50` or `100`. Null: neither. */
export function parseAmount(word: string): number | null {
  return parseNumber(word.startsWith('$') ? word.slice(1) : word)
}

/** @throws CliFailure */
export function parseLimitWords(text: string): Terms {
  const [said = '', burstWords, ...more] = text.split(', ')
  const [much = '', ...words] = said.split(' ').filter((word) => word !== '')
  const meter = much.startsWith('$') ? 'cost' : meters.find((known) => known === words[0])
  const amount = parseAmount(much)
  if (meter === undefined || amount === null || more.length > 0) throw notUnderstood(text)
  const rest = much.startsWith('$') ? words : words.slice(1)
  if (rest.length === 0 && burstWords === undefined) return { meter, amount, window: null }
  const window = parseWindow(rest, burstWords)
  if (window === null) throw notUnderstood(text)
  return { meter, amount, window }
}

/** `per minute`, `per calendar month`, `per calendar month in Europe/Berlin`; null: none of them. */
function parseWindow(words: readonly string[], burstWords: string | undefined): Terms['window'] {
  const [per, first, second, word, timeZone, ...more] = words
  if (per !== 'per' || first === undefined || more.length > 0) return null
  if (first === 'calendar') {
    const calendar = periods.find((known) => known === second)
    if (calendar === undefined || burstWords !== undefined) return null
    if (word === undefined) return { calendar }
    return word === 'in' && timeZone !== undefined ? { calendar, timeZone } : null
  }
  if (second !== undefined) return null
  if (burstWords === undefined) return first
  const burst = parseNumber(burstWords.replace(/ at once$/, ''))
  return burst === null || !burstWords.endsWith(' at once') ? null : { rolling: first, burst }
}

/** `name: limit`, as plans take them. @throws CliFailure */
export function parseNamedLimit(text: string): Terms & { readonly name: string } {
  const colon = text.indexOf(':')
  if (colon < 1)
    throw new CliFailure('usage', `${text} has no name.`, "Write 'name: 100 requests per minute'.")
  return { name: text.slice(0, colon).trim(), ...parseLimitWords(text.slice(colon + 1).trim()) }
}
