/** Whether a guard can be compiled: a kind that this version does not know refuses it, and so the whole snapshot. */
import {
  type GuardRule,
  type GuardTerms,
  guardActions,
  guardDetectors,
  guardFailures,
  guardModes,
  guardPlaces,
  guardStreamModes,
} from '../domain/guards.ts'
import { detectors } from './detectors.ts'

/** Why the guard cannot be compiled; null: it can. */
export function findGuardProblem(terms: GuardTerms): string | null {
  const known: readonly (readonly [string, string, readonly string[]])[] = [
    ['detector', terms.detector, guardDetectors],
    ['action', terms.action, guardActions],
    ['mode', terms.mode, guardModes],
    ['streaming', terms.streaming, guardStreamModes],
    ['onFailure', terms.onFailure, guardFailures],
    ...terms.places.map((place) => ['place', place, guardPlaces] as const),
  ]
  for (const [field, value, values] of known) {
    if (!values.includes(value)) return `the ${field} ${value} is not known`
  }
  if (terms.places.length === 0) return 'it names no place'
  if (!(terms.threshold >= 0 && terms.threshold <= 1)) return 'its threshold is not between 0 and 1'
  const rules = detectors.get(terms.detector)?.rules ?? []
  const unknown = terms.rules?.find((pattern) => !rules.some((rule) => meets(pattern, rule)))
  return unknown === undefined ? null : `the detector ${terms.detector} has no rule ${unknown}`
}

function meets(pattern: string, rule: string): boolean {
  return pattern.endsWith('*') ? rule.startsWith(pattern.slice(0, -1)) : rule === pattern
}

/** Which rules of its detector a guard is about. */
export function coversRule({ rules, detector }: GuardRule): (rule: string) => boolean {
  if (rules === null) return () => true
  const all = detectors.get(detector)?.rules ?? []
  const covered = new Set(all.filter((rule) => rules.some((pattern) => meets(pattern, rule))))
  return (rule) => covered.has(rule)
}
