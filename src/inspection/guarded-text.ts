/**
 * One text of a stream under the guards of its place. `cut` lets go of everything that is decided; `hold` keeps the
 * text until it is whole. Whatever the pieces, what comes out in the end is the same.
 *
 *   cut   looks at the text as it reads; what is encoded in it is decided only when it is whole, and so not here
 *   hold  looks at everything, like whole answers do; holds at most `mostHeld` characters
 */
import type { GuardFinding } from '../domain/guards.ts'
import { type GuardedDetector, type PlaceGuards, ruleOn } from './guard-set.ts'
import { applyMasks, findingOf, labelOf, type Mask, mostFindings, TextJudge } from './judge-text.ts'
import { TextScanner } from './text-scanner.ts'

/** What a part may come to that is held back whole. */
export const mostHeld = 1_048_576

export interface Passed {
  /** What may leave now. */
  readonly text: string
  /** The guard that ends the answer; what it is about never leaves. */
  readonly blockedBy: string | null
  /** It is longer than may be held, and does not pass uninspected. */
  readonly isTooLong: boolean
}

export interface GuardedText {
  push(chunk: string, isLast: boolean): Passed
}

export function guardText(
  guards: PlaceGuards,
  tell: (finding: Omit<GuardFinding, 'at'>) => void,
): GuardedText {
  return guards.holds ? new HeldText(guards, tell) : new CutText(guards, tell)
}

class HeldText implements GuardedText {
  readonly #guards: PlaceGuards
  readonly #judge: TextJudge
  readonly #tell: (finding: Omit<GuardFinding, 'at'>) => void
  #pieces: string[] = []
  #length = 0

  constructor(guards: PlaceGuards, tell: (finding: Omit<GuardFinding, 'at'>) => void) {
    this.#guards = guards
    this.#judge = new TextJudge(guards)
    this.#tell = tell
  }

  push(chunk: string, isLast: boolean): Passed {
    this.#pieces.push(chunk)
    this.#length += chunk.length
    if (this.#length > mostHeld) {
      const { failsClosed } = this.#guards
      return { text: failsClosed ? '' : this.#take(), blockedBy: null, isTooLong: failsClosed }
    }
    this.#judge.push(chunk, isLast)
    if (!isLast) return { text: '', blockedBy: null, isTooLong: false }
    const { findings, masks, blockedBy } = this.#judge.verdict()
    for (const finding of findings) this.#tell(finding)
    const text = this.#take()
    return { text: blockedBy === null ? applyMasks(text, masks) : '', blockedBy, isTooLong: false }
  }

  #take(): string {
    const text = this.#pieces.join('')
    this.#pieces = []
    return text
  }
}

interface Watcher {
  readonly by: GuardedDetector
  readonly scanner: TextScanner
  /** Its last match may go on, and is masked up to here; -1: none. */
  maskedTo: number
}

class CutText implements GuardedText {
  readonly #guards: PlaceGuards
  readonly #tell: (finding: Omit<GuardFinding, 'at'>) => void
  readonly #watchers: readonly Watcher[]
  /** Not let go yet, and where it stands. */
  #held = ''
  #heldAt = 0
  #masks: Mask[] = []
  #told = 0

  constructor(guards: PlaceGuards, tell: (finding: Omit<GuardFinding, 'at'>) => void) {
    this.#guards = guards
    this.#tell = tell
    this.#watchers = guards.detectors.map((by) => ({
      by,
      scanner: new TextScanner(by.detector),
      maskedTo: -1,
    }))
  }

  push(chunk: string, isLast: boolean): Passed {
    this.#held += chunk
    let settled = this.#heldAt + this.#held.length
    let block: { readonly at: number; readonly by: string } | null = null
    for (const watcher of this.#watchers) {
      const advance = watcher.scanner.advance(chunk, isLast)
      if (watcher.maskedTo >= 0 && advance.continuedTo >= 0) {
        // Its label stands before it.
        this.#mask({ start: watcher.maskedTo, end: advance.continuedTo, label: '' })
        watcher.maskedTo = advance.continuedTo
      }
      for (const match of advance.matches) {
        const { told, action, by } = ruleOn(watcher.by, match)
        for (const { guard } of told) this.#report(findingOf(guard.rule, this.#guards.place, match))
        watcher.maskedTo = action === 'mask' ? match.end : -1
        if (action === 'mask') this.#mask({ ...match, label: labelOf(watcher.by.detector.id, match.rule) })
        if (action === 'block' && (block === null || match.start < block.at))
          block = { at: match.start, by: by?.rule.name ?? '' }
      }
      if (!advance.isOpen) watcher.maskedTo = -1
      if (watcher.by.changes) settled = Math.min(settled, advance.settled)
    }
    const text = this.#release(block === null ? settled : Math.min(settled, block.at))
    return { text, blockedBy: block?.by ?? null, isTooLong: false }
  }

  #report(finding: Omit<GuardFinding, 'at'>): void {
    if (this.#told >= mostFindings) return
    this.#told += 1
    this.#tell(finding)
  }

  #mask({ start, end, label }: Mask): void {
    this.#masks.push({ start, end, label })
    this.#masks.sort((a, b) => a.start - b.start)
  }

  /** Everything before `limit`, with masks in place of what they cover. */
  #release(limit: number): string {
    let text = ''
    let at = this.#heldAt
    const later: Mask[] = []
    for (const mask of this.#masks) {
      if (mask.start >= limit) {
        later.push(mask)
        continue
      }
      if (mask.start >= at) text += this.#slice(at, mask.start) + mask.label
      at = Math.max(at, mask.end)
      if (mask.end > limit) later.push({ start: limit, end: mask.end, label: '' })
    }
    text += this.#slice(at, limit)
    this.#held = this.#held.slice(limit - this.#heldAt)
    this.#heldAt = limit
    this.#masks = later
    return text
  }

  #slice(start: number, end: number): string {
    return end <= start ? '' : this.#held.slice(start - this.#heldAt, end - this.#heldAt)
  }
}
