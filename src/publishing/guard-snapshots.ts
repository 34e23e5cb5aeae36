/** Stored guards → what the data plane compiles: applications and products by id. */
import type { GuardRule } from '../domain/guards.ts'
import type { ConfigurationRecords } from '../ports/store.ts'
import { idsOf } from './ids-of.ts'

/** Nothing where there are none. */
export function guardSnapshots({ guards, applications, products }: ConfigurationRecords): {
  readonly guards?: readonly GuardRule[]
} {
  if (guards.length === 0) return {}
  return {
    guards: guards.map(({ createdAt: _made, updatedAt: _changed, managedBy: _by, match, ...rule }) => ({
      ...rule,
      match: {
        ...match,
        applications: idsOf(match.applications, rule.organizationId, applications),
        products: idsOf(match.products, rule.organizationId, products),
      },
    })),
  }
}
