/**
 * One whole text under the guards of its place: what is found, what is to be masked, whether it is blocked. The text
 * may come in pieces; between them nothing is synchronous for longer than one piece takes.
 *
 *   as it reads   one scanner per detector, over all of it
 *   decoded       windows of `windowLength` and `windowOverlap` more: what is encoded across the end of one is whole
 *                 in it as far as the overlap goes
 */
import type { GuardFinding, GuardPlace } from '../domain/guards.ts'
import { decodedViews, type View } from './decode-text.ts'
import type { Match } from './detector.ts'
import { foldText } from './fold-text.ts'
import { type GuardedDetector, type PlaceGuards, ruleOn } from './guard-set.ts'
import { TextScanner } from './text-scanner.ts'

const windowLength = 16_384
const windowOverlap = 4096
/** Findings of one text that are told; what is beyond them is acted on all the same. */
export const mostFindings = 20

export interface Mask {
  readonly start: number
  readonly end: number
  readonly label: string
}

export interface Verdict {
  readonly findings: readonly Omit<GuardFinding, 'at'>[]
  /** In order, not overlapping. */
  readonly masks: readonly Mask[]
  /** The guard that blocks; null: none does. */
  readonly blockedBy: string | null
}

export const clean: Verdict = Object.freeze({ findings: [], masks: [], blockedBy: null })

/** What stands where something was masked: what it was, and nothing of it. */
export function labelOf(detector: string, rule: string): string {
  return `[${detector}:${rule}]`
}

interface FoundMatch {
  readonly by: GuardedDetector
  readonly match: Match
}

export class TextJudge {
  readonly #guards: PlaceGuards
  readonly #scanners: readonly { readonly by: GuardedDetector; readonly scanner: TextScanner }[]
  readonly #found: FoundMatch[] = []
  readonly #looksInside: boolean
  /** What is not yet looked at for what is encoded in it, and where it stands. */
  #window = ''
  #windowAt = 0

  constructor(guards: PlaceGuards) {
    this.#guards = guards
    this.#scanners = guards.detectors.map((by) => ({ by, scanner: new TextScanner(by.detector) }))
    this.#looksInside = guards.detectors.some(({ detector }) => detector.views.includes('decoded'))
  }

  /** At most some `windowLength` characters at once, so that it is short. */
  push(piece: string, isLast: boolean): void {
    for (const { by, scanner } of this.#scanners) {
      const { matches, continuedTo } = scanner.advance(piece, isLast)
      if (continuedTo >= 0) this.#extendLast(by, continuedTo)
      for (const match of matches) this.#found.push({ by, match })
    }
    if (!this.#looksInside) return
    this.#window += piece
    while (this.#window.length >= windowLength + windowOverlap)
      this.#lookInside(windowLength + windowOverlap, windowLength)
    if (isLast) this.#lookInside(this.#window.length, this.#window.length)
  }

  #extendLast(by: GuardedDetector, end: number): void {
    const at = this.#found.findLastIndex((found) => found.by === by)
    const last = this.#found[at]
    if (last !== undefined) this.#found[at] = { by, match: { ...last.match, end } }
  }

  #lookInside(length: number, step: number): void {
    const text = this.#window.slice(0, length)
    for (const view of decodedViews(text, foldText(text)))
      for (const by of this.#guards.detectors)
        if (by.detector.views.includes('decoded')) this.#scanView(by, view)
    this.#window = this.#window.slice(step)
    this.#windowAt += step
  }

  #scanView(by: GuardedDetector, { text, places }: View): void {
    for (const match of by.detector.scan({ text, from: 0, isLast: true }).matches) {
      const placed = {
        ...match,
        start: this.#windowAt + (places?.[match.start] ?? match.start),
        end: this.#windowAt + (places?.[match.end] ?? match.end),
      }
      const isKnown = this.#found.some(
        (found) => found.by === by && found.match.start < placed.end && placed.start < found.match.end,
      )
      if (!isKnown) this.#found.push({ by, match: placed })
    }
  }

  verdict(): Verdict {
    if (this.#found.length === 0) return clean
    return rule(this.#guards.place, this.#found)
  }
}

function rule(place: GuardPlace, found: readonly FoundMatch[]): Verdict {
  const findings: Omit<GuardFinding, 'at'>[] = []
  const masks: Mask[] = []
  let blockedBy: string | null = null
  for (const { by, match } of found.toSorted((a, b) => a.match.start - b.match.start)) {
    const { told, action, by: guard } = ruleOn(by, match)
    for (const each of told) {
      if (findings.length < mostFindings) findings.push(findingOf(each.guard.rule, place, match))
    }
    if (action === 'block') blockedBy ??= guard?.rule.name ?? null
    if (action === 'mask') addMask(masks, { ...match, label: labelOf(by.detector.id, match.rule) })
  }
  return { findings, masks, blockedBy }
}

export function findingOf(
  { name: guard, detector, action, mode }: GuardedDetector['guards'][number]['rule'],
  place: GuardPlace,
  { rule: ruleName, score, start, end }: Match,
): Omit<GuardFinding, 'at'> {
  return { guard, detector, rule: ruleName, place, start, end, score, action, mode }
}

function addMask(masks: Mask[], { start, end, label }: Mask): void {
  const last = masks.at(-1)
  if (last === undefined || start >= last.end) masks.push({ start, end, label })
  else if (end > last.end) masks[masks.length - 1] = { ...last, end }
}

/** The text with its masks in place of what they cover. */
export function applyMasks(text: string, masks: readonly Mask[]): string {
  let masked = ''
  let from = 0
  for (const { start, end, label } of masks) {
    masked += text.slice(from, start) + label
    from = end
  }
  return masked + text.slice(from)
}

/** So much is pushed at once. */
export const pieceLength = windowLength

/** Judge a text, and give way between its pieces. */
export function* judgeText(text: string, guards: PlaceGuards): Generator<void, Verdict> {
  const judge = new TextJudge(guards)
  for (let at = 0; ; at += pieceLength) {
    const isLast = at + pieceLength >= text.length
    judge.push(text.slice(at, at + pieceLength), isLast)
    if (isLast) return judge.verdict()
    yield
  }
}
