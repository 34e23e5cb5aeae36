/** From one node on SQLite to PostgreSQL: one command, everything comes along, and nothing is counted again. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Agent, request } from 'undici'
import { importDatabase } from '../../src/adapters/postgres/import-database.ts'
import { openPostgresDatabase } from '../../src/adapters/postgres/open-postgres-store.ts'
import { openSqliteDatabase, openSqliteStore } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { runCli } from '../../src/cli/create-program.ts'
import { sampleOrganization } from '../../src/ports/store.contract-samples.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres/postgres-server.ts'
import { type Product, startProduct } from './product.ts'
import { summedRequests, waitForSum } from './usage-on-disk.ts'

const storage = { kind: 'postgres', url: 'env:DATABASE_URL' }

async function call(product: Product, apiKey: string, dispatcher: Agent): Promise<number> {
  const response = await request(`${product.http}/v1/chat/completions`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
  })
  await response.body.text()
  return response.statusCode
}

/** `gatewright storage migrate` in `directory`. */
async function migrate(directory: string, database: string) {
  let out = ''
  let err = ''
  const configFile = join(directory, 'gatewright.yaml')
  writeFileSync(configFile, JSON.stringify({ storage }))
  const args = ['storage', 'migrate', '--config', configFile, '--data-dir', join(directory, 'data'), '--json']
  const code = await runCli(args, {
    environment: { DATABASE_URL: database },
    directory,
    out(text) {
      out += text
    },
    err(text) {
      err += text
    },
    readInput: () => Promise.resolve(''),
    now: Date.now,
  })
  return { code, out, err }
}

describe('migration to PostgreSQL', { skip: postgresMissing() }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  test('a node goes on where it was: key, sums, place in the log; the command refuses what it must', async (t) => {
    const agent = new Agent()
    const database = await server.createDatabase()
    const first = await startProduct()
    t.after(() => void first.process.kill('SIGKILL'))
    const { directory, apiKey } = first
    for (let count = 0; count < 20; count += 1) assert.equal(await call(first, apiKey, agent), 200)
    await waitForSum(first, 20)
    const running = await migrate(directory, database)
    assert.equal(running.code, 1)
    assert.match(running.err, /in use by process/)
    await first.stop({ keep: true })

    const environment = { DATABASE_URL: database }
    await assert.rejects(
      startProduct({ directory, config: { storage }, environment }),
      /gatewright storage migrate/,
    )
    const done = await migrate(directory, database)
    assert.equal(done.code, 0, done.err)
    const { tables } = JSON.parse(done.out) as { tables: { table: string; rows: number }[] }
    const rowsOf = (name: string) => tables.find(({ table }) => table === name)?.rows
    assert.deepEqual([rowsOf('organizations'), rowsOf('api_keys'), rowsOf('usage_cursors')], [1, 1, 1])
    const again = await migrate(directory, database)
    assert.equal(again.code, 1)
    assert.match(again.err, /not empty/)

    const second = await startProduct({ directory, config: { storage }, environment })
    t.after(() => void second.process.kill('SIGKILL'))
    assert.equal(await summedRequests(second), 20)
    assert.equal(await call(second, apiKey, agent), 200)
    await waitForSum(second, 21)
    assert.equal(second.adminToken, first.adminToken)
    await agent.close()
    await second.stop()
  })

  test('a copy that fails in the middle leaves the target as it was', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-migration-'))
    const path = join(directory, 'gatewright.db')
    const { store, close } = await openSqliteStore({ path })
    for (let count = 0; count < 700; count += 1)
      await store.organizations.create({ ...sampleOrganization(`org_${count}`), name: 'a\u0000b' })
    await close()
    const url = await server.createDatabase()
    const options = {
      url,
      tls: { mode: 'auto' as const },
      poolSize: 2,
      connectTimeoutMs: 5000,
      statementTimeoutMs: 0,
    }
    const source = await openSqliteDatabase({ path })
    const target = await openPostgresDatabase(options)
    const convert = (table: string, row: Record<string, string | number | null>) => {
      if (table === 'organizations' && row['id'] === 'org_699') throw new Error('no more')
      return row
    }
    await assert.rejects(importDatabase({ source, target, convert }), /no more/)
    assert.deepEqual(await target.selectFrom('organizations').selectAll().execute(), [])
    assert.deepEqual(await target.selectFrom('change_versions').select('value').execute(), [
      { value: 1 },
      { value: 1 },
    ])
    const tables = await importDatabase({ source, target, convert: (_table, row) => row })
    assert.equal(tables.find(({ table }) => table === 'organizations')?.rows, 700)
    const row = await target.selectFrom('organizations').selectAll().executeTakeFirst()
    assert.equal(row?.['name'], 'a\ufffdb')
    await source.destroy()
    await target.destroy()
    rmSync(directory, { recursive: true })
  })
})
