/**
 * The guards that hold for one exchange, compiled: by place, with their detectors. What is off is not there. Two sets
 * with one id judge alike, whatever they are called and whenever they were made.
 */
import { hash } from 'node:crypto'
import type { GuardAction, GuardPlace, GuardRule } from '../domain/guards.ts'
import { guardPlaces } from '../domain/guards.ts'
import { coversRule } from './check-guard.ts'
import type { Detector, Match } from './detector.ts'
import { detectors } from './detectors.ts'

export interface CompiledGuard {
  readonly rule: GuardRule
  readonly covers: (rule: string) => boolean
}

export interface GuardedDetector {
  readonly detector: Detector
  readonly guards: readonly CompiledGuard[]
  /** Something that is found is masked or blocked. */
  readonly changes: boolean
}

/** What is looked for in one place. */
export interface PlaceGuards {
  readonly place: GuardPlace
  readonly detectors: readonly GuardedDetector[]
  /** A stream waits for the end of each part. */
  readonly holds: boolean
  /** What cannot be inspected does not pass. */
  readonly failsClosed: boolean
}

export interface GuardSet {
  readonly id: string
  readonly places: ReadonlyMap<GuardPlace, PlaceGuards>
  /** Something of an answer is looked at. */
  readonly coversAnswers: boolean
  /** An answer may be changed, or ended. */
  readonly changesAnswers: boolean
}

const answerPlaces: readonly GuardPlace[] = ['response', 'tool-call']

/** Compile the guards of one exchange; null: there are none. */
export function compileGuardSet(rules: readonly GuardRule[]): GuardSet | null {
  const places = new Map<GuardPlace, PlaceGuards>()
  for (const place of guardPlaces) {
    const own = rules.filter((rule) => rule.places.includes(place))
    if (own.length > 0) places.set(place, placeGuards(place, own))
  }
  if (places.size === 0) return null
  const ofAnswers = answerPlaces.flatMap((place) => places.get(place) ?? [])
  return Object.freeze({
    id: idOf(rules),
    places,
    coversAnswers: ofAnswers.length > 0,
    changesAnswers: ofAnswers.some(({ detectors: all }) =>
      all.some(({ guards }) => guards.some(({ rule }) => isChanging(rule))),
    ),
  })
}

function isChanging({ action, mode }: GuardRule): boolean {
  return mode === 'enforce' && (action === 'mask' || action === 'block')
}

function placeGuards(place: GuardPlace, rules: readonly GuardRule[]): PlaceGuards {
  const named = new Set(rules.map(({ detector }) => detector))
  const changing = rules.filter(isChanging)
  return Object.freeze({
    place,
    detectors: [...named].flatMap((name) => {
      const detector = detectors.get(name)
      const guards = rules
        .filter((rule) => rule.detector === name)
        .map((rule) => ({ rule, covers: coversRule(rule) }))
      return detector === undefined
        ? []
        : [{ detector, guards, changes: guards.some(({ rule }) => isChanging(rule)) }]
    }),
    holds: changing.some(({ streaming }) => streaming === 'hold'),
    failsClosed: changing.some(({ onFailure }) => onFailure === 'closed'),
  })
}

/** Of all that a verdict depends on. */
function idOf(rules: readonly GuardRule[]): string {
  const told = rules.map(({ name, detector, places, rules: own, threshold, action, mode }) => {
    const { version } = detectors.get(detector) ?? { version: 0 }
    return [name, detector, version, places, own, threshold, action, mode]
  })
  return hash('sha256', JSON.stringify(told), 'base64')
}

/** What guards make of a match: findings for operators, and the strongest action that is in force. */
export interface Ruling {
  readonly told: readonly { readonly guard: CompiledGuard }[]
  readonly action: GuardAction
  /** Whose action it is. */
  readonly by: CompiledGuard | null
}

const nothing: Ruling = Object.freeze({ told: [], action: 'allow', by: null })
const strength: Readonly<Record<GuardAction, number>> = { allow: 0, flag: 1, mask: 2, block: 3 }

export function ruleOn({ guards }: GuardedDetector, match: Match): Ruling {
  const told: { guard: CompiledGuard }[] = []
  let by: CompiledGuard | null = null
  for (const guard of guards) {
    const { action, mode, threshold } = guard.rule
    if (match.score < threshold || !guard.covers(match.rule)) continue
    if (action === 'allow' && mode === 'enforce') return nothing
    told.push({ guard })
    if (mode === 'enforce' && (by === null || strength[action] > strength[by.rule.action])) by = guard
  }
  return { told, action: by?.rule.action ?? 'allow', by }
}
