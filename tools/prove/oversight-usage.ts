/**
 * How long a dashboard over 90 days waits for its figures, with a hundred million requests behind it, on SQLite and on
 * PostgreSQL: each panel's question through the same functions as the admin API, the slowest of several times.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openPostgresDatabase } from '../../src/adapters/postgres/open-postgres-store.ts'
import type { Database } from '../../src/adapters/sql-store/database.ts'
import { createSqlUsageStore } from '../../src/adapters/sql-store/sql-usage-store.ts'
import { openSqliteDatabase } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { type UsageDimensions, type UsageStore, usageResolutionMs } from '../../src/ports/usage-store.ts'
import { usageSeries, usageSummary } from '../../src/usage/index.ts'
import { postgresMissing, startPostgres } from '../../test/fixtures/postgres/postgres-server.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'
import { fullHistory, type HistoryShape, organizationName, writeHistory } from './usage-history.ts'

const times = 7
const limitMs = 200
const dayMs = usageResolutionMs.day

interface Panel {
  readonly name: string
  readonly groupBy: readonly (keyof UsageDimensions)[]
  readonly intervalMs: number | null
  readonly top?: number
}

const panels: readonly Panel[] = [
  { name: 'sums', groupBy: [], intervalMs: null },
  { name: 'by application', groupBy: ['applicationId'], intervalMs: null },
  { name: 'by key and model', groupBy: ['keyId', 'model'], intervalMs: null },
  { name: 'each day', groupBy: [], intervalMs: dayMs },
  { name: 'each day by model', groupBy: ['model'], intervalMs: dayMs },
  { name: 'by product', groupBy: ['productId'], intervalMs: null },
  { name: 'each day of the top 5 keys', groupBy: ['keyId'], intervalMs: dayMs, top: 5 },
]

async function ask(usage: UsageStore, panel: Panel, shape: HistoryShape) {
  const { groupBy, intervalMs, top } = panel
  // Odd edges, as a dashboard that says "the last 90 days" at some moment has.
  const odd = 5 * usageResolutionMs.hour + 17 * usageResolutionMs.minute
  const from = shape.end - shape.days * dayMs
  const question = { organizationId: organizationName(1), from, to: shape.end - odd, groupBy, limit: 10_000 }
  return intervalMs === null
    ? usageSummary(usage, question)
    : usageSeries(usage, { ...question, intervalMs, top: top ?? null })
}

async function measure(db: Database, name: string, shape: HistoryShape): Promise<ProofRow[]> {
  const written = await writeHistory(db, shape)
  const usage = createSqlUsageStore(db)
  const rows: ProofRow[] = []
  for (const panel of panels) {
    let slowest = 0
    for (let turn = 0; turn < times; turn += 1) {
      const began = performance.now()
      await ask(usage, panel, shape)
      slowest = Math.max(slowest, performance.now() - began)
    }
    rows.push(
      atMost(`${name}, 90 days, ${panel.name}: slowest of ${times}`, slowest, { limit: limitMs, unit: 'ms' }),
    )
  }
  const least = shape.requests * 0.99
  rows.push({
    claim: `${name}: requests behind it`,
    target: `≥ ${least}`,
    measured: written,
    unit: '',
    ok: written >= least,
  })
  rows.push(await agree(usage, name, shape))
  return rows
}

/** The last day has sums of all three lengths: they are the same. */
async function agree(usage: UsageStore, name: string, shape: HistoryShape): Promise<ProofRow> {
  const question = { organizationId: null, from: shape.end - dayMs, to: shape.end }
  const sums: (number | undefined)[] = []
  for (const resolution of ['minute', 'hour', 'day'] as const)
    sums.push((await usageSummary(usage, { ...question, resolution })).rows[0]?.sums.requests)
  const ok = sums[0] !== undefined && sums.every((sum) => sum === sums[0])
  return {
    claim: `${name}: minutes = hours = days`,
    target: 'yes',
    measured: ok ? 'yes' : sums.join(' '),
    unit: '',
    ok,
  }
}

async function onSqlite(shape: HistoryShape): Promise<ProofRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-usage-history-'))
  const db = await openSqliteDatabase({ path: join(directory, 'gatewright.db') })
  try {
    return await measure(db, 'SQLite', shape)
  } finally {
    await db.destroy()
    rmSync(directory, { recursive: true })
  }
}

async function onPostgres(shape: HistoryShape): Promise<ProofRow[]> {
  const missing = postgresMissing()
  if (missing !== false) {
    return [{ claim: 'PostgreSQL is there', target: 'yes', measured: String(missing), unit: '', ok: false }]
  }
  const server = await startPostgres()
  try {
    const url = await server.createDatabase()
    const terms = { poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 60_000 }
    const db = await openPostgresDatabase({ url, tls: { mode: 'auto' }, ...terms })
    try {
      return await measure(db, 'PostgreSQL', shape)
    } finally {
      await db.destroy()
    }
  } finally {
    await server.stop()
  }
}

export async function proveUsageHistory({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const now = Date.now()
  const full = { ...fullHistory, end: now - (now % dayMs) }
  const shape = quick ? { ...full, organizations: 2, applications: 2, requests: 2_000_000 } : full
  say(`  writing ${shape.days} days of sums`)
  return [...(await onSqlite(shape)), ...(await onPostgres(shape))]
}
