/**
 * The LimitAlerts port over Kysely. What an alert is unique by stands as a digest: subjects are longer than an index
 * may take.
 */
import { createHash } from 'node:crypto'
import type { LimitAlert, LimitAlertSighting } from '../../domain/limit-alert.ts'
import { newId } from '../../kernel/ids.ts'
import type { LimitAlerts } from '../../ports/limit-alerts.ts'
import type { Page, PageQuery } from '../../ports/store.ts'
import { createCodec } from './columns.ts'
import type { ClassifyError, Database } from './database.ts'
import { readCursor, readLimit, writeCursor } from './record-cursor.ts'

const codec = createCodec<LimitAlert>({
  id: 'text',
  organizationId: 'text',
  limitId: 'text',
  limitName: 'text',
  meter: 'text',
  per: 'json',
  subject: 'text',
  periodStartsAt: 'integer',
  threshold: 'integer',
  amount: 'integer',
  used: 'integer',
  at: 'integer',
})

function fingerprintOf(sighting: LimitAlertSighting): string {
  const { organizationId, limitId, subject, periodStartsAt, threshold } = sighting
  const text = JSON.stringify([organizationId, limitId, subject, periodStartsAt, threshold])
  return createHash('sha256').update(text).digest('base64url')
}

async function raise(
  db: Database,
  classify: ClassifyError,
  sighting: LimitAlertSighting,
): Promise<LimitAlert | null> {
  const alert = { ...sighting, id: newId('alr') }
  try {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('limit_alerts')
      .values({ ...codec.encode(alert), fingerprint: fingerprintOf(sighting) })
      .onConflict((target) => target.column('fingerprint').doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n ? alert : null
  } catch (error) {
    if (classify(error) === 'foreign-key') return null
    throw error
  }
}

async function list(db: Database, organizationId: string, query: PageQuery = {}): Promise<Page<LimitAlert>> {
  const limit = readLimit(query.limit)
  let statement = db.selectFrom('limit_alerts').selectAll().where('organization_id', '=', organizationId)
  if (query.after !== undefined) {
    const { createdAt: at, id } = readCursor(query.after)
    statement = statement.where((build) =>
      build.or([build('at', '<', at), build.and([build('at', '=', at), build('id', '<', id)])]),
    )
  }
  const rows = await statement
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit).map((row) => codec.decode(row))
  const last = items.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items, next: hasMore ? writeCursor({ createdAt: last.at, id: last.id }) : null }
}

async function prune(db: Database, before: number, limit: number): Promise<number> {
  const old = db.selectFrom('limit_alerts').select('id').where('at', '<', before).orderBy('at').limit(limit)
  const { numDeletedRows } = await db.deleteFrom('limit_alerts').where('id', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

export function createSqlLimitAlerts(db: Database, classify: ClassifyError): LimitAlerts {
  return {
    raise: (sighting) => raise(db, classify, sighting),
    list: (organizationId, query) => list(db, organizationId, query),
    prune: (before, limit) => prune(db, before, limit),
  }
}
