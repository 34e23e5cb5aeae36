/**
 * Guards of a snapshot by organization. Sets that the same guards make are made
 * once. An organization without guards costs one look-up, a snapshot without any has no stage for them.
 */
import type { GuardMatch, GuardRule } from '../../domain/guards.ts'
import { faults } from '../../faults/catalogue.ts'
import { compilePatterns, type PatternMatcher } from '../../identity/index.ts'
import { findGuardProblem, type GuardSet } from '../../inspection/index.ts'
import { Fault } from '../../kernel/fault.ts'

export interface CompiledMatch {
  readonly rule: GuardRule
  readonly applications: ReadonlySet<string> | null
  readonly products: ReadonlySet<string> | null
  readonly routes: PatternMatcher | null
  readonly models: PatternMatcher | null
  readonly keys: PatternMatcher | null
}

interface OrganizationGuards {
  readonly guards: readonly CompiledMatch[]
  /** By which of `guards` are in it. */
  readonly sets: Map<string, GuardSet | null>
}

export type SnapshotGuards = ReadonlyMap<string, OrganizationGuards>

/** Null: there are none. @throws Fault naming the guard that cannot be compiled */
export function compileSnapshotGuards(rules: readonly GuardRule[]): SnapshotGuards | null {
  if (rules.length === 0) return null
  for (const rule of rules) {
    const problem = findGuardProblem(rule)
    const reason = `the guard ${rule.name} cannot be compiled: ${problem}`
    if (problem !== null) throw new Fault(faults.configInvalid, { public: { reason } })
  }
  const organizations = Map.groupBy(rules, ({ organizationId }) => organizationId)
  return new Map(
    [...organizations].map(([id, own]) => [id, { guards: own.map(compileMatch), sets: new Map() }] as const),
  )
}

function compileMatch(rule: GuardRule): CompiledMatch {
  const { applications, products, routes, models, keys }: GuardMatch = rule.match
  const patterns = (names: readonly string[] | null) => (names === null ? null : compilePatterns(names))
  return {
    rule,
    applications: applications === null ? null : new Set(applications),
    products: products === null ? null : new Set(products),
    routes: patterns(routes),
    models: patterns(models),
    keys: patterns(keys),
  }
}
