/** Guards for tests. */
import assert from 'node:assert/strict'
import { type GuardRule, guardPlaces } from '../../domain/guards.ts'
import { compileGuardSet, type GuardSet } from '../guard-set.ts'

export const anyMatch = { applications: null, products: null, routes: null, models: null, keys: null }

/** A guard on secrets everywhere. */
export function guardOf(own: Partial<GuardRule> = {}): GuardRule {
  return {
    id: `grd_${own.name ?? 'sample'}`,
    organizationId: 'org_a',
    name: 'sample',
    detector: 'secrets',
    places: guardPlaces,
    rules: null,
    threshold: 0.5,
    action: 'mask',
    mode: 'enforce',
    streaming: 'cut',
    onFailure: 'closed',
    match: anyMatch,
    ...own,
  }
}

export function guardSetOf(...owns: readonly Partial<GuardRule>[]): GuardSet {
  const set = compileGuardSet(owns.map(guardOf))
  assert.ok(set !== null)
  return set
}
