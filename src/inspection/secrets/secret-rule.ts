/**
 * One kind of secret as data: a keyword that is looked for, and what must follow it. Every part takes as many
 * characters as it can and never gives one back, so that a rule is told in one pass over a bounded number of
 * characters, and what has come of a stream so far decides as much as it can.
 *
 *   keyword | parts, each bounded                  | tail, taken as far as it goes
 *   sk-proj-| 40 of base64url                      | base64url
 *   datadog | gap · sign that assigns · 32 of hex  | none: another hex digit would make it something else
 */
import { bitsOf, type ClassName } from './character-class.ts'

export interface ClassPart {
  readonly bits: number
  readonly min: number
  readonly max: number
  /** It is (the beginning of) the secret: judged by its entropy. */
  readonly isValue: boolean
}
export interface LiteralPart {
  readonly literal: string
}
export type Part = ClassPart | LiteralPart

export interface Tail {
  readonly bits: number
  /** Most characters beyond the parts. */
  readonly max: number
  /** It ends with the second run of five hyphens (RFC 7468). */
  readonly isPem: boolean
}

export interface SecretRule {
  readonly name: string
  /** As it is written; looked for in any case. */
  readonly keyword: string
  readonly anyCase: boolean
  /** A letter or digit may stand right before the keyword. */
  readonly afterAnything: boolean
  readonly parts: readonly Part[]
  readonly tail: Tail | null
  /** The keyword is no part of the secret: it stays where findings are masked. */
  readonly isContext: boolean
  /** Bits per character that the value must have; 0: any will do. */
  readonly minEntropy: number
  /** Refuses what looks made up (`example`, `xxxx`). */
  readonly refusesPlaceholders: boolean
  readonly score: number
  /** Proves it: the score if it is true to its checksum; otherwise `score`. Given the whole of what was decided. */
  readonly check: ((text: string) => boolean) | null
}

const entropies: Partial<Record<ClassName, number>> = {
  hex: 2.6,
  anyHex: 2.6,
  uuid: 2.6,
  digit: 1.8,
  base32: 2.4,
  upper: 2.4,
}
const usualEntropy = 2.8
const usualTail = 4096

const defaults = {
  anyCase: false,
  afterAnything: false,
  isContext: false,
  refusesPlaceholders: true,
  check: null,
} as const

type Own = Partial<Pick<SecretRule, 'score' | 'afterAnything' | 'check' | 'minEntropy' | 'anyCase'>>

/** Its class, its (least) length, and what is its own. */
type Value = readonly [value: ClassName, length: number, own?: Own]

function entropyFor(name: ClassName, length: number): number {
  return length < 12 ? 0 : (entropies[name] ?? usualEntropy)
}

/** A prefix that nothing else has, and at least `length` characters of a class behind it. */
export function prefixed(name: string, keyword: string, [value, length, own = {}]: Value): SecretRule {
  const bits = bitsOf[value]
  return Object.freeze({
    ...defaults,
    name,
    keyword,
    parts: [{ bits, min: length, max: length, isValue: true }],
    tail: { bits, max: usualTail, isPem: false },
    minEntropy: entropyFor(value, length),
    score: 0.9,
    ...own,
  })
}

/** A prefix, and exactly `length` characters. */
export function exact(name: string, keyword: string, [value, length, own = {}]: Value): SecretRule {
  return Object.freeze({ ...prefixed(name, keyword, [value, length, own]), tail: null })
}

/** A vendor's name, a sign that assigns, and exactly `length` characters: `DATADOG_API_KEY="…"`. */
export function assigned(name: string, keyword: string, [value, length, own = {}]: Value): SecretRule {
  return Object.freeze({
    ...defaults,
    name,
    keyword,
    anyCase: true,
    isContext: true,
    parts: [
      { bits: bitsOf.gap, min: 0, max: 20, isValue: false },
      { bits: bitsOf.assign, min: 1, max: 6, isValue: false },
      { bits: bitsOf[value], min: length, max: length, isValue: true },
    ],
    tail: null,
    minEntropy: entropyFor(value, length),
    score: 0.75,
    ...own,
  })
}

/** Like `assigned`, of at least `length` characters. */
export function assignedLong(name: string, keyword: string, [value, length, own = {}]: Value): SecretRule {
  const bits = bitsOf[value]
  return Object.freeze({
    ...assigned(name, keyword, [value, length, own]),
    tail: { bits, max: usualTail, isPem: false },
  })
}

/** `scheme://user:password@host`: the password alone is the secret. */
export function connection(name: string, scheme: string): SecretRule {
  return Object.freeze({
    ...defaults,
    name,
    keyword: `${scheme}://`,
    anyCase: true,
    isContext: true,
    parts: [
      { bits: bitsOf.user, min: 0, max: 24, isValue: false },
      { literal: ':' },
      { bits: bitsOf.password, min: 4, max: 40, isValue: true },
      { literal: '@' },
    ],
    tail: null,
    minEntropy: 1.5,
    score: 0.8,
  })
}

/** A private key in PEM, or in a form like it: a line break, at least 16 characters of it, and on to its end. */
export function armored(name: string, keyword: string): SecretRule {
  return Object.freeze({
    ...defaults,
    name,
    keyword,
    parts: [
      { bits: bitsOf.breaks, min: 1, max: 8, isValue: false },
      { bits: bitsOf.base64, min: 16, max: 16, isValue: true },
    ],
    tail: { bits: bitsOf.pem, max: 16_384, isPem: true },
    minEntropy: 2,
    refusesPlaceholders: false,
    score: 0.95,
  })
}

/** Characters after which a rule is decided, the one behind it that must be another kind included. */
export function decidedWithin({ keyword, parts }: SecretRule): number {
  let length = keyword.length + 1
  for (const part of parts) length += 'literal' in part ? part.literal.length : part.max
  return length
}
