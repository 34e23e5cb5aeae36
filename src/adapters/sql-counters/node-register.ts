/**
 * Which nodes live, in SQL. A node that was not seen for `presenceMs` lets go of its slots; after `ttlMs` it loses its
 * leases: rows go, what they had debited stays. Whoever renews does the tidying for all, unless it was away itself: it
 * cannot tell whether the others were, or the database. One renewal of a process at a time, none sooner than needed.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../sql-store/database.ts'
import { countersTable, leasesTable, nodesTable } from './counter-tables.ts'

export interface NodeRegisterOptions {
  readonly node: string
  /** Names one run of the node's process: leases of the run before have ended with it, and count as spent. */
  readonly run: string
  /** How long leases stay without being renewed. */
  readonly ttlMs: number
  /** How long a node that is silent counts as one that lives; at most `ttlMs`. */
  readonly presenceMs: number
  /** Unix milliseconds of the database's clock. */
  readonly serverTime: RawBuilder<number>
  /** How often counters that say nothing any more are removed; a minute by default. */
  readonly pruneEveryMs?: number
}

export interface NodeRegister {
  /** Renews where that is due; resolves with the number of nodes that live. */
  live(): Promise<number>
  forget(): Promise<void>
}

/** Renewed when so much of the presence has passed. */
const renewAfterShare = 1 / 8
const defaultPruneEveryMs = 60_000
/** Counters removed at a time: keeps a statement short. */
const pruneAtOnce = 500

async function removeNodes(db: Database, nodes: readonly string[]): Promise<void> {
  if (nodes.length === 0) return
  await db.deleteFrom(leasesTable).where('node', 'in', nodes).execute()
  await db.deleteFrom(nodesTable).where('node', 'in', nodes).execute()
}

async function letGoOfSlots(db: Database, nodes: readonly string[]): Promise<void> {
  if (nodes.length === 0) return
  await db.deleteFrom(leasesTable).where('node', 'in', nodes).where('is_slot', '=', 1).execute()
}

async function prune(db: Database, now: number): Promise<void> {
  const old = await db
    .selectFrom(countersTable)
    .select('key')
    .where('keep_until', '<', now)
    .limit(pruneAtOnce)
    .execute()
  const keys = old.map((row) => String(row['key']))
  if (keys.length === 0) return
  // The age is asked again: a counter that is used meanwhile stays.
  const removed = await db
    .deleteFrom(countersTable)
    .where('key', 'in', keys)
    .where('keep_until', '<', now)
    .returning('key')
    .execute()
  const names = removed.map((row) => String(row['key']))
  if (names.length > 0) await db.deleteFrom(leasesTable).where('key', 'in', names).execute()
}

export function createNodeRegister(db: Database, options: NodeRegisterOptions): NodeRegister {
  const { node, run, ttlMs, presenceMs, serverTime } = options
  let renewedAt = Number.NEGATIVE_INFINITY
  let prunedAt = performance.now()
  let nodes = 1
  let renewing: Promise<number> | null = null
  /** From when on this process was never away for so long that others take it for gone. */
  let presentSince = performance.now()

  async function renewOnce(transaction: Database): Promise<number> {
    const rows = await transaction
      .selectFrom(nodesTable)
      .select(['node', 'run', 'seen_at', serverTime.as('now')])
      .execute()
    const now = Number(rows[0]?.['now'] ?? (await readTime(transaction)))
    const seen = rows.map((row) => ({
      name: String(row['node']),
      ageMs: now - Number(row['seen_at']),
      ended: row['node'] === node && row['run'] !== run,
    }))
    const canTell = performance.now() - presentSince >= presenceMs
    const silent = seen.filter(({ name, ageMs }) => name !== node && canTell && ageMs > presenceMs)
    await letGoOfSlots(
      transaction,
      silent.map(({ name }) => name),
    )
    const lapsed = [
      ...silent.filter(({ ageMs }) => ageMs > ttlMs),
      ...seen.filter(({ name, ageMs, ended }) => name === node && (ended || ageMs > ttlMs)),
    ].map(({ name }) => name)
    await removeNodes(transaction, lapsed.sort())
    await transaction
      .insertInto(nodesTable)
      .values({ node, run, seen_at: now })
      .onConflict((target) => target.column('node').doUpdateSet({ seen_at: now }))
      .execute()
    if (performance.now() - prunedAt > (options.pruneEveryMs ?? defaultPruneEveryMs)) {
      prunedAt = performance.now()
      await prune(transaction, now)
    }
    return 1 + seen.filter(({ name, ageMs }) => name !== node && ageMs <= presenceMs).length
  }

  async function readTime(transaction: Database): Promise<number> {
    const { rows } = await sql<{ now: number }>`select ${serverTime} as now`.execute(transaction)
    return Number(rows[0]?.now)
  }

  async function renew(): Promise<number> {
    const began = performance.now()
    if (began - renewedAt > presenceMs) presentSince = began
    nodes = await db.transaction().execute(renewOnce)
    renewedAt = began
    return nodes
  }

  return {
    live() {
      if (performance.now() - renewedAt < presenceMs * renewAfterShare) return Promise.resolve(nodes)
      renewing ??= renew().finally(() => {
        renewing = null
      })
      return renewing
    },
    async forget() {
      renewedAt = Number.NEGATIVE_INFINITY
      await db.transaction().execute((transaction) => removeNodes(transaction, [node]))
    },
  }
}
