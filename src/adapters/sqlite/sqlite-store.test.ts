import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { Fault } from '../../kernel/fault.ts'
import { testCheckpointBoardContract } from '../../ports/checkpoint-board.contract.ts'
import { testLimitAlertsContract } from '../../ports/limit-alerts.contract.ts'
import { testStoreContract } from '../../ports/store.contract.ts'
import { sampleOrganization } from '../../ports/store.contract-samples.ts'
import { testUsageStoreContract } from '../../ports/usage-store.contract.ts'
import type { Schema } from '../sql-store/database.ts'
import { migrations } from '../sql-store/migrations.ts'
import { openSqliteStore } from './open-sqlite-store.ts'
import { createSqliteDialect } from './sqlite-dialect.ts'

testStoreContract(async () => (await openSqliteStore({ path: ':memory:' })).store)
testUsageStoreContract(() => openSqliteStore({ path: ':memory:' }))
testLimitAlertsContract(() => openSqliteStore({ path: ':memory:' }))
testCheckpointBoardContract(() => openSqliteStore({ path: ':memory:' }))

function withDirectory(body: (path: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-sqlite-'))
    try {
      await body(join(directory, 'gatewright.db'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
}

test(
  'records and version survive closing, and opening again migrates nothing',
  withDirectory(async (path) => {
    const first = await openSqliteStore({ path })
    await first.store.organizations.create(sampleOrganization('org_a'))
    const versions = await first.store.versions()
    await first.close()
    const second = await openSqliteStore({ path })
    assert.deepEqual(await second.store.organizations.get('org_a'), sampleOrganization('org_a'))
    assert.deepEqual(await second.store.versions(), versions)
    await second.close()
  }),
)

test(
  'a database that a newer release has written is refused and left alone',
  withDirectory(async (path) => {
    await (await openSqliteStore({ path })).close()
    const database = new DatabaseSync(path)
    database.prepare('insert into kysely_migration (name, timestamp) values (?, ?)').run('9999-later', 'x')
    database.close()
    await assert.rejects(
      openSqliteStore({ path }),
      (error) => error instanceof Fault && /9999-later/.test(error.publicText),
    )
  }),
)

test(
  'what the first schema held is kept: routes without timeouts, applications without team or plan',
  withDirectory(async (path) => {
    const first = migrations['0001-initial']
    assert.ok(first !== undefined)
    const db = new Kysely<Schema>({ dialect: createSqliteDialect({ path }) })
    const provider = { getMigrations: () => Promise.resolve({ '0001-initial': first }) }
    const { error } = await new Migrator({ db, provider }).migrateToLatest()
    assert.equal(error, undefined)
    const record = { created_at: 1, updated_at: 1, managed_by: 'api' }
    await db
      .insertInto('organizations')
      .values({ ...record, id: 'org_a', slug: 'a', name: 'A' })
      .execute()
    const route = { organization_id: 'org_a', name: 'gpt', aliases: '[]', targets: '[]' }
    await db
      .insertInto('model_routes')
      .values({ ...record, ...route, id: 'rte_a', description: '', enabled: 1 })
      .execute()
    const named = { ...record, organization_id: 'org_a', name: 'Shop', description: '' }
    await db
      .insertInto('applications')
      .values({ ...named, id: 'app_a', slug: 'shop' })
      .execute()
    const opened = { version: '1', state: 'published', operations: '["*"]', models: '["*"]' }
    await db
      .insertInto('api_products')
      .values({ ...named, ...opened, id: 'prd_a', slug: 'chat' })
      .execute()
    const ends = { organization_id: 'org_a', application_id: 'app_a', product_id: 'prd_a' }
    await db
      .insertInto('subscriptions')
      .values({ ...record, ...ends, id: 'sub_a', state: 'active' })
      .execute()
    await db.destroy()
    const { store, close } = await openSqliteStore({ path })
    const kept = await store.routes.get('org_a', 'rte_a')
    assert.deepEqual([kept?.name, kept?.timeouts], ['gpt', {}])
    assert.equal((await store.applications.get('org_a', 'app_a'))?.team, '')
    const subscription = await store.subscriptions.get('org_a', 'sub_a')
    assert.deepEqual([subscription?.state, subscription?.planId], ['active', null])
    await close()
  }),
)

test(
  'the database and its log are readable by the owner alone',
  withDirectory(async (path) => {
    const { store, close } = await openSqliteStore({ path })
    await store.settings.set('a', 1)
    for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o077, 0)
    await close()
  }),
)

test(
  'the connection runs with a write-ahead log, full synchronisation and foreign keys',
  withDirectory(async (path) => {
    const { close } = await openSqliteStore({ path })
    const other = new DatabaseSync(path)
    assert.equal(other.prepare('pragma journal_mode').get()?.['journal_mode'], 'wal')
    other.close()
    await close()
  }),
)

test(
  'storage that cannot take a change says so in a fault, and goes on when it can',
  withDirectory(async (path) => {
    const { store, close } = await openSqliteStore({ path, busyTimeoutMs: 50 })
    const other = new DatabaseSync(path)
    // A second writer holding the lock past the busy timeout stands for any reason.
    other.exec('begin immediate')
    await assert.rejects(
      store.settings.set('a', 1),
      (error) => error instanceof Fault && error.code === 'storage.unavailable',
    )
    other.exec('rollback')
    other.close()
    await store.settings.set('a', 2)
    assert.equal(await store.settings.get('a'), 2)
    await close()
  }),
)
