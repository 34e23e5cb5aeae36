/**
 * The admin API on its real parts, for tests: SQLite and the root key in a temporary directory, the real catalogue,
 * identity and secret box. Only what the composition root would report (status, trial calls) is fixed.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { openEventLog } from '../../adapters/event-log/open-event-log.ts'
import { openFileSecretBox } from '../../adapters/file-secret-box/open-file-secret-box.ts'
import { createMemoryCounterStore } from '../../adapters/memory/memory-central-counters.ts'
import { openSealedContentLog } from '../../adapters/sealed-content-log/open-sealed-content-log.ts'
import { openSqliteStore, type SqliteStorage } from '../../adapters/sqlite/open-sqlite-store.ts'
import type { AuditDetails } from '../../audit/index.ts'
import { sampleEvent } from '../../delivery/harness/sample-event.ts'
import type { DeadLetter, SinkStatus } from '../../delivery/index.ts'
import type { KeyNotice } from '../../domain/key-notice.ts'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import { openPepperBook } from '../../identity/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import { compileLimits, explainLimits, type LimitRequest } from '../../limits/index.ts'
import { createCatalogue } from '../../providers/index.ts'
import { limitSnapshots } from '../../publishing/index.ts'
import { createDocumentManager } from '../../resources/index.ts'
import { createFamilyCollector, metrics } from '../../telemetry/index.ts'
import type { AdminDependencies, SinkDesk, StatusReport, TargetHealthReport } from '../context.ts'
import { createAdminApi } from '../create-admin-api.ts'
import { createSignInThrottle } from '../sign-in-throttle.ts'

export const startedAt = Date.UTC(2026, 10, 1, 12)

export interface TestClock extends Clock {
  /** Move on by so many milliseconds. */
  advance(milliseconds: number): void
}

function createTestClock(): TestClock {
  let now = startedAt
  return {
    now: () => now,
    monotonic: () => now,
    advance(milliseconds) {
      now += milliseconds
    },
  }
}

export const sampleTargetHealth: TargetHealthReport = {
  deployment: 'main',
  model: null,
  trouble: 'cooling',
  waitMs: 1500,
  outages: 2,
}

export const sampleStatus: StatusReport = {
  version: '0.1.0',
  startedAt: startedAt - 3 * 3_600_000,
  nodeVersion: '24.21.0',
  listeners: [
    { plane: 'data', url: 'https://localhost:8443' },
    { plane: 'data', url: 'http://127.0.0.1:8080' },
    { plane: 'control', url: 'https://localhost:9443' },
    { plane: 'control', url: 'http://127.0.0.1:9080' },
  ],
  workers: { configured: 2, running: 2, restarts: 0 },
  load: [
    {
      worker: 0,
      underWay: 12,
      loopDelayMs: 1.25,
      memoryBytes: 180_000_000,
      shed: { critical: 0, high: 0, normal: 0, low: 3 },
      waiting: 1,
      entered: 9,
      served: 6,
      full: 4,
      overdue: 2,
    },
  ],
  snapshot: { version: 41, appliedAt: startedAt - 120_000, problem: null },
  deploymentCount: 3,
  routeCount: 5,
  sandboxEnabled: true,
  certificateExpiresAt: startedAt + 90 * 86_400_000,
  diskFreeBytes: 40_000_000_000,
  documentationUrl: 'https://gatewright.dev/docs/errors/',
}

/** The standing of every counter: 7 units are left, for a second. */
export const sampleStanding = { remaining: 7, resetMs: 1000 }

async function explainFromStore({ store }: SqliteStorage, requests: readonly LimitRequest[]) {
  const { limits, plans, topUps } = limitSnapshots(await store.loadConfiguration(), startedAt)
  const compiled = compileLimits(limits, plans, topUps)
  const known = { now: startedAt, standingOf: () => sampleStanding }
  return requests.map((request) => explainLimits(compiled, request, known))
}

export const sampleFigures = { refused: 3, exceeded: 0, unavailable: 1 }

/** One sink, `siem`, with a dead letter. */
export const sampleSink: SinkStatus = {
  name: 'siem',
  type: 'webhook',
  circuit: 'open',
  places: 1,
  delivered: 12,
  retried: 3,
  rejected: 1,
  lagMs: 4000,
  waitingBytes: 2048,
  deadLetters: 1,
  problem: 'the receiver answered 503',
}
export const sampleLetter: DeadLetter = { at: startedAt, reason: 'too large', event: sampleEvent() }
const sampleSinks: SinkDesk = {
  status: () => Promise.resolve([sampleSink]),
  letters: (name) => Promise.resolve(name === 'siem' ? [sampleLetter] : null),
  replay: (name) => Promise.resolve(name === 'siem' ? { delivered: 1, rejected: 0, remaining: 0 } : null),
}

/** One counter, as if so many requests had ended. */
function sampleMetrics() {
  const collector = createFamilyCollector()
  collector.add(metrics.restarts, [], 4)
  return collector.families
}

const nobodyReports: AdminDependencies['leakReports'] = {
  settings: () => ({ reporters: [] }),
  readReference: () => null,
  client: { call: () => assert.fail('nothing is fetched'), close: () => {} },
}

/** An event as it was recorded. */
export interface Recorded {
  readonly event: OversightEvent
  readonly details: AuditDetails
}

export interface StartedAdmin {
  readonly app: FastifyInstance
  readonly deps: AdminDependencies
  readonly clock: TestClock
  readonly storage: SqliteStorage
  /** What went to the audit log. */
  readonly recorded: readonly Recorded[]
  /** Answers as they were counted. */
  readonly answered: readonly (readonly [operation: string, status: number])[]
  /** What of each refused request counts in metrics. */
  readonly denials: readonly string[]
  /** What owners of keys were told. */
  readonly told: readonly KeyNotice[]
  /** What went to the log. */
  readonly logged: readonly Readonly<Record<string, unknown>>[]
  stop(): Promise<void>
}

function recordingAudit(recorded: Recorded[]): AdminDependencies['audit'] {
  return {
    async record(event, details = {}) {
      recorded.push({ event, details })
    },
    erase: async () => true,
    rewrap: async () => ({ rewrapped: 0, kept: 3 }),
  }
}

export async function startAdmin(changes: Partial<AdminDependencies> = {}): Promise<StartedAdmin> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-admin-'))
  const storage = await openSqliteStore({ path: join(directory, 'gatewright.db') })
  const secretBox = openFileSecretBox({ path: join(directory, 'root.key') })
  const pepperBook = await openPepperBook(storage.store, secretBox)
  const usageLog = await openEventLog({ directory: join(directory, 'usage') })
  const clock = createTestClock()
  const contents = { directory: join(directory, 'content'), retentionDays: () => 7, now: clock.now }
  const contentLog = openSealedContentLog({ ...contents, secretBox })
  const catalogue = createCatalogue()
  const denials: string[] = []
  const recorded: Recorded[] = []
  const answered: (readonly [operation: string, status: number])[] = []
  const told: KeyNotice[] = []
  const logged: Readonly<Record<string, unknown>>[] = []
  const log = (fields: object, message: string): void => void logged.push({ ...fields, message })
  const failures = createMemoryCounterStore({ now: clock.now, ttlMs: 1000 }).open('node')
  const deps: AdminDependencies = {
    store: storage.store,
    secretBox,
    clock,
    tokenKeys: () => ({ fetchedAt: startedAt, keyIds: ['k1'], problem: null }),
    peppers: () => pepperBook.opened,
    pepperBook,
    usage: storage.usage,
    alerts: storage.alerts,
    sinks: sampleSinks,
    usageLog,
    contentLog,
    providers: () => catalogue.list,
    status: () => sampleStatus,
    configuration: createDocumentManager({ store: storage.store, clock, fileManaged: () => false }),
    routeHealth: () => [sampleTargetHealth],
    explainLimits: (requests) => explainFromStore(storage, requests),
    limitFigures: () => sampleFigures,
    metrics: sampleMetrics,
    tryDeployment: () => Promise.resolve({ ok: true, status: 200, durationMs: 12, detail: 'It answered.' }),
    log: { info: log, warn: log, error: log },
    audit: recordingAudit(recorded),
    leakReports: nobodyReports,
    tellOfKey: async (notice) => void told.push(notice),
    signIns: createSignInThrottle({ shared: null, local: failures, clock }),
    answered: (operation, status) => answered.push([operation, status]),
    onDenial: (lacks) => denials.push(lacks),
    ...changes,
  }
  const app = await createAdminApi(deps)
  await app.ready()
  return {
    app,
    deps,
    clock,
    storage,
    recorded,
    answered,
    denials,
    told,
    logged,
    async stop() {
      await app.close()
      await usageLog.close()
      await contentLog.close()
      await storage.close()
      rmSync(directory, { recursive: true })
    },
  }
}
