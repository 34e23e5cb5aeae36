/**
 * Top-ups. One raises a limit, or a limit of a plan; the row carries the id of that owner in a column with a foreign
 * key, so that it goes when the owner goes.
 */
import type { TopUp } from '../../domain/entities.ts'
import { planRuleId } from '../../domain/limits.ts'
import type { TopUpTable } from '../../ports/store.ts'
import { limitNoun, planNoun, topUpNoun } from './nouns.ts'
import { getRecord } from './record-reads.ts'
import { defineTable, notFound } from './record-table.ts'
import { createRecords } from './records.ts'
import type { Session } from './session.ts'

export const planRecords = defineTable(planNoun)
export const limitRecords = defineTable(limitNoun)

/** The plan whose rule is raised; null: a limit that stands alone. */
function planIdOf({ limitId }: TopUp): string | null {
  const slash = limitId.indexOf('/')
  return slash < 0 ? null : limitId.slice(0, slash)
}

/** @throws Fault when the organization has no such limit */
async function checkLimit(session: Session, topUp: TopUp): Promise<void> {
  const { organizationId: scope, limitId } = topUp
  const planId = planIdOf(topUp)
  if (planId === null) {
    if ((await getRecord(session, limitRecords, { scope, value: limitId })) !== null) return
  } else {
    const plan = await getRecord(session, planRecords, { scope, value: planId })
    if (plan?.limits.some(({ name }) => planRuleId(planId, name) === limitId) === true) return
  }
  throw notFound('limit', limitId)
}

export const topUpRecords = defineTable(topUpNoun, {
  columns(record) {
    const planId = planIdOf(record)
    return { plan_id: planId, own_limit_id: planId === null ? record.limitId : null }
  },
  beforeWrite: checkLimit,
})

export function createTopUpTable(session: Session): TopUpTable {
  const { create, get, find, list, remove } = createRecords<TopUp, never, object>(session, topUpRecords)
  return { create, get, find, list, remove }
}
