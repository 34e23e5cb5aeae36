/**
 * Detector `secrets`: keys, tokens, private keys and passwords of connection strings. All keywords in one pass; where
 * one stands, its rules look at a bounded number of characters. The leftmost match counts, among those of one place
 * the first in the table, and scanning goes on behind it: so what is found does not depend on how a stream is cut.
 */
import type { Detector, Match, Piece, Scan } from '../detector.ts'
import { createKeywordAutomaton } from '../keyword-automaton.ts'
import { matchRule } from './match-rule.ts'
import { secretRules } from './rules.ts'
import { decidedWithin, type SecretRule } from './secret-rule.ts'

/** Rules by keyword; those of one keyword in the order of the table. */
const byKeyword = new Map<string, SecretRule[]>()
for (const rule of secretRules) {
  const keyword = rule.keyword.toLowerCase()
  const known = byKeyword.get(keyword)
  if (known === undefined) byKeyword.set(keyword, [rule])
  else known.push(rule)
}
const keywords = [...byKeyword.keys()]
const rulesOf = [...byKeyword.values()]
const automaton = createKeywordAutomaton(keywords)
const orderOf = new Map(secretRules.map((rule, at) => [rule, at]))

interface Candidate {
  readonly start: number
  readonly rule: SecretRule
}

/** Leftmost first; at one place in the order of the table. */
function inOrder(a: Candidate, b: Candidate): number {
  return a.start - b.start || (orderOf.get(a.rule) ?? 0) - (orderOf.get(b.rule) ?? 0)
}

const noMatches: readonly Match[] = Object.freeze([])

function scan({ text, from, isLast }: Piece): Scan {
  const candidates: Candidate[] = []
  const depth = automaton.run(text, from, (keyword, start) => {
    for (const rule of rulesOf[keyword] ?? []) candidates.push({ start, rule })
  })
  let settled = isLast ? text.length : text.length - depth
  if (candidates.length === 0) return { matches: noMatches, settled, open: null }
  if (candidates.length > 1) candidates.sort(inOrder)
  const matches: Match[] = []
  let reached = from
  for (const { start, rule } of candidates) {
    if (start < reached) continue
    if (start >= settled) break
    const answer = matchRule(rule, { text, isLast }, start)
    if (answer === 'no') continue
    if (answer === 'more') {
      settled = Math.min(settled, start)
      break
    }
    matches.push({ rule: rule.name, score: answer.score, start: answer.start, end: answer.end })
    if (answer.open !== null) return { matches, settled: text.length, open: answer.open }
    reached = answer.end
  }
  return { matches, settled: Math.max(settled, reached), open: null }
}

export const secrets: Detector = Object.freeze({
  id: 'secrets',
  version: 1,
  views: ['folded', 'decoded'] as const,
  holdBack: Math.max(...secretRules.map(decidedWithin)),
  rules: secretRules.map(({ name }) => name),
  scan,
})
