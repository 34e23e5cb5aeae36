/**
 * Model routes. Names and aliases are rows of their own, so that the database keeps them unique per organization;
 * targets are rows too, so that a deployment in use cannot be removed. Bound: `maxRouteParts` each.
 */
import type { ModelRoute } from '../../domain/entities.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ModelRouteTable } from '../../ports/store.ts'
import { routeNoun } from './nouns.ts'
import { getRecord } from './record-reads.ts'
import { conflict, defineTable, notFound } from './record-table.ts'
import { createRecords } from './records.ts'
import type { Session } from './session.ts'

/** Aliases, and targets, of one route. */
export const maxRouteParts = 200

interface Parts {
  readonly names: readonly string[]
  readonly deployments: readonly string[]
}

function partsOf(route: ModelRoute): Parts {
  if (route.aliases.length > maxRouteParts || route.targets.length > maxRouteParts) {
    throw new Fault(faults.validation, {
      public: { reason: `a model route has at most ${maxRouteParts} aliases and targets` },
    })
  }
  const { canary } = route.policy
  if (canary != null && !route.targets.some((target) => target.deployment === canary.deployment)) {
    throw new Fault(faults.validation, {
      public: { reason: `the canary ${canary.deployment} is not among the targets of the model route` },
    })
  }
  return {
    names: [...new Set([route.name, ...route.aliases])],
    deployments: [...new Set(route.targets.map((target) => target.deployment))],
  }
}

async function checkParts(session: Session, route: ModelRoute): Promise<void> {
  const { names, deployments } = partsOf(route)
  const taken = await session.db
    .selectFrom('model_route_names')
    .select('name')
    .where('organization_id', '=', route.organizationId)
    .where('name', 'in', names)
    .where('route_id', '<>', route.id)
    .limit(1)
    .executeTakeFirst()
  if (taken !== undefined) throw conflict('model route', String(taken['name']))
  if (deployments.length === 0) return
  const rows = await session.db
    .selectFrom('deployments')
    .select('slug')
    .where('organization_id', '=', route.organizationId)
    .where('slug', 'in', deployments)
    .execute()
  const found = new Set(rows.map((row) => row['slug']))
  const absent = deployments.find((slug) => !found.has(slug))
  if (absent !== undefined) throw notFound('deployment', absent)
}

async function writeParts(session: Session, route: ModelRoute): Promise<void> {
  const { names, deployments } = partsOf(route)
  const owner = { organization_id: route.organizationId, route_id: route.id }
  for (const table of ['model_route_names', 'model_route_targets']) {
    await session.db
      .deleteFrom(table)
      .where('organization_id', '=', route.organizationId)
      .where('route_id', '=', route.id)
      .execute()
  }
  const named = names.map((name) => ({ ...owner, name }))
  await session.run(
    () => session.db.insertInto('model_route_names').values(named).execute(),
    (kind) => (kind === 'unique' ? conflict('model route', route.name) : null),
  )
  if (deployments.length === 0) return
  const targets = deployments.map((deployment) => ({ ...owner, deployment }))
  await session.run(
    () => session.db.insertInto('model_route_targets').values(targets).execute(),
    (kind) => (kind === 'foreign-key' ? notFound('deployment', deployments.join(', ')) : null),
  )
}

export const routeRecords = defineTable(routeNoun, { beforeWrite: checkParts, afterWrite: writeParts })

export function createRouteTable(session: Session): ModelRouteTable {
  return {
    ...createRecords(session, routeRecords),
    async find(organizationId, name) {
      const row = await session.db
        .selectFrom('model_route_names')
        .select('route_id')
        .where('organization_id', '=', organizationId)
        .where('name', '=', name)
        .executeTakeFirst()
      if (row === undefined) return null
      return getRecord(session, routeRecords, { scope: organizationId, value: String(row['route_id']) })
    },
  }
}
