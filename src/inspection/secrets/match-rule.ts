/** Whether a rule's secret stands at a place, as far as the piece tells. Linear; nothing is tried twice. */
import type { Continuation } from '../detector.ts'
import { bitsOf, isIn } from './character-class.ts'
import { entropyOf, isPlaceholder } from './plausibility.ts'
import type { ClassPart, SecretRule, Tail } from './secret-rule.ts'

export interface RuleMatch {
  readonly start: number
  readonly end: number
  readonly score: number
  /** It reaches the end of the piece and may go on. */
  readonly open: Continuation | null
}

/** `no`: it does not stand there · `more`: what follows the piece decides. */
export type RuleAnswer = RuleMatch | 'no' | 'more'

export function matchRule(
  rule: SecretRule,
  { text, isLast }: { readonly text: string; readonly isLast: boolean },
  start: number,
): RuleAnswer {
  if (!rule.afterAnything && start > 0 && isIn(text, start - 1, bitsOf.alnum)) return 'no'
  if (!rule.anyCase && !text.startsWith(rule.keyword, start)) return 'no'
  let at = start + rule.keyword.length
  let valueStart = at
  let valueEnd = at
  for (const part of rule.parts) {
    if ('literal' in part) {
      const given = text.slice(at, at + part.literal.length)
      if (given !== part.literal) return !isLast && part.literal.startsWith(given) ? 'more' : 'no'
      at += part.literal.length
      continue
    }
    const end = endOfPart(text, at, part)
    if (end === text.length && end - at < part.max && !isLast) return 'more'
    if (end - at < part.min) return 'no'
    if (part.isValue) {
      valueStart = at
      valueEnd = end
    }
    at = end
  }
  return judge(rule, { text, isLast }, { start, valueStart, valueEnd, at })
}

interface Found {
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
  /** One past the last part. */
  readonly at: number
}

function judge(
  rule: SecretRule,
  { text, isLast }: { readonly text: string; readonly isLast: boolean },
  { start, valueStart, valueEnd, at }: Found,
): RuleAnswer {
  const last = rule.parts.at(-1)
  if (rule.tail === null && last !== undefined && !('literal' in last)) {
    // Of another length it is something else.
    if (at === text.length && !isLast) return 'more'
    if (isIn(text, at, last.bits)) return 'no'
  }
  const value = text.slice(valueStart, valueEnd)
  if (rule.minEntropy > 0 && entropyOf(value) < rule.minEntropy) return 'no'
  if (rule.refusesPlaceholders && isPlaceholder(value)) return 'no'
  const score = rule.check?.(text.slice(start, at)) === true ? 1 : rule.score
  const from = rule.isContext ? valueStart : start
  if (rule.tail === null) return { start: from, end: rule.isContext ? valueEnd : at, score, open: null }
  const continuation = continueTail(rule.tail)
  const end = continuation.consume(text, at)
  return { start: from, end, score, open: end === text.length && !isLast ? continuation : null }
}

function endOfPart(text: string, at: number, { bits, max }: ClassPart): number {
  const last = Math.min(text.length, at + max)
  let end = at
  while (end < last && isIn(text, end, bits)) end += 1
  return end
}

const hyphen = 0x2d

function continueTail({ bits, max, isPem }: Tail): Continuation {
  let left = max
  let hyphens = 0
  let runs = 0
  return {
    consume(text, at) {
      let end = at
      while (end < text.length && left > 0 && isIn(text, end, bits)) {
        if (isPem) {
          hyphens = text.charCodeAt(end) === hyphen ? hyphens + 1 : 0
          if (hyphens === 5) runs += 1
          if (runs === 2) left = 1
        }
        end += 1
        left -= 1
      }
      return end
    },
  }
}
