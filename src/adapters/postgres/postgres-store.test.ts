/** PostgreSQL as a Store and UsageStore: the contracts, and what several nodes on one database add to them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../../test/fixtures/postgres/postgres-server.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { testCheckpointBoardContract } from '../../ports/checkpoint-board.contract.ts'
import { testLimitAlertsContract } from '../../ports/limit-alerts.contract.ts'
import { testStoreContract } from '../../ports/store.contract.ts'
import { rejectsWith, sampleOrganization } from '../../ports/store.contract-samples.ts'
import { testUsageStoreContract } from '../../ports/usage-store.contract.ts'
import { migrations } from '../sql-store/migrations.ts'
import type { PostgresOptions } from './connection-settings.ts'
import { migratePostgres, openPostgresStore, type PostgresStorage } from './open-postgres-store.ts'

function optionsOf(url: string): PostgresOptions {
  return { url, tls: { mode: 'auto' }, poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 10_000 }
}

async function until(condition: () => boolean | Promise<boolean>, withinMs = 5000): Promise<number> {
  const startedAt = performance.now()
  while (!(await condition())) {
    assert.ok(performance.now() - startedAt < withinMs, `not within ${withinMs} ms`)
    await sleep(5)
  }
  return performance.now() - startedAt
}

describe('PostgreSQL', { skip: postgresMissing() }, () => {
  let server: PostgresServer
  let template: string
  before(async () => {
    server = await startPostgres()
    template = await server.createDatabase()
    await migratePostgres(optionsOf(template))
  })
  after(() => server.stop())
  const open = async () => openPostgresStore(optionsOf(await server.createDatabase(template)))

  testStoreContract(async () => (await open()).store)
  testUsageStoreContract(open)
  testLimitAlertsContract(open)
  testCheckpointBoardContract(open)

  /** Several nodes on one database, which end with the test. */
  async function withNodes(count: number, body: (nodes: readonly PostgresStorage[]) => Promise<void>) {
    const url = await server.createDatabase(template)
    const nodes = await Promise.all(Array.from({ length: count }, () => openPostgresStore(optionsOf(url))))
    try {
      await body(nodes)
    } finally {
      await Promise.all(nodes.map((node) => node.close()))
    }
  }

  function nodeOf(nodes: readonly PostgresStorage[], index: number): PostgresStorage {
    const node = nodes[index]
    assert.ok(node !== undefined)
    return node
  }

  test('nodes that start at once on an empty database migrate it once', async () => {
    const url = await server.createDatabase()
    const nodes = await Promise.all(Array.from({ length: 6 }, () => openPostgresStore(optionsOf(url))))
    assert.deepEqual(await nodeOf(nodes, 5).store.versions(), { current: 1, configuration: 1 })
    await Promise.all(nodes.map((node) => node.close()))
    const client = new Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('select name from kysely_migration')
    await client.end()
    assert.equal(rows.length, Object.keys(migrations).length)
  })

  test('a database that a newer release has written is refused', async () => {
    const url = await server.createDatabase(template)
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(`insert into kysely_migration (name, timestamp) values ('9999-later', 'x')`)
    await client.end()
    await assert.rejects(
      openPostgresStore(optionsOf(url)),
      (error) => error instanceof Fault && /9999-later/.test(error.publicText),
    )
  })

  test('a reader who sees a version sees every change up to it, whichever node made it', () =>
    withNodes(3, async (nodes) => {
      const reader = nodeOf(nodes, 0)
      const first = (await reader.store.versions()).current
      let isWriting = true
      const write = async (node: PostgresStorage, name: string): Promise<void> => {
        for (let count = 0; count < 15; count += 1)
          await node.store.organizations.create(sampleOrganization(`${name}${count}`))
      }
      const writes = Promise.all([write(nodeOf(nodes, 1), 'one'), write(nodeOf(nodes, 2), 'two')])
      void writes.finally(() => {
        isWriting = false
      })
      let before = first
      while (isWriting) {
        const { version, organizations } = await reader.store.loadConfiguration()
        assert.ok(version >= before)
        // One version per organization: were one visible before an earlier one, they would not be equal.
        assert.equal(organizations.length, version - first)
        before = version
      }
      await writes
      assert.equal((await reader.store.versions()).current, first + 30)
    }))

  test('transactions of several nodes do not mix', () =>
    withNodes(3, async (nodes) => {
      const increment = (node: PostgresStorage) =>
        node.store.transaction(async ({ settings }) => {
          await settings.set('count', Number(await settings.get('count')) + 1)
        })
      await Promise.all(nodes.flatMap((node) => Array.from({ length: 5 }, () => increment(node))))
      assert.equal(await nodeOf(nodes, 0).store.settings.get('count'), 15)
    }))

  test('a change on one node is heard on the others at once, and once on its own', () =>
    withNodes(3, async (nodes) => {
      const heard = nodes.map(() => [] as number[])
      for (const [index, { store }] of nodes.entries())
        store.subscribe((version) => heard[index]?.push(version))
      // What the connections say when they begin to listen.
      await sleep(100)
      for (const list of heard) list.length = 0
      await nodeOf(nodes, 1).store.organizations.create(sampleOrganization('org_a'))
      const tookMs = await until(() => heard.every((list) => list.length > 0))
      assert.ok(tookMs < 500, `${tookMs} ms`)
      await sleep(50)
      const { current } = await nodeOf(nodes, 0).store.versions()
      assert.deepEqual(heard, [[current], [current], [current]])
    }))

  test('nodes add usage to the same rows side by side, each from its own cursor, nothing lost or twice', () =>
    withNodes(3, async (nodes) => {
      const dimensions = (keyId: string) => ({
        organizationId: 'org_a',
        applicationId: 'app_a',
        keyId,
        operation: 'o',
        model: 'm',
        servedModel: 'm',
        providerId: 'p',
        deploymentId: 'd',
        productId: '',
        statusClass: 2,
      })
      const sums = {
        requests: 1,
        errors: 0,
        inputTokens: 1,
        outputTokens: 1,
        cachedInputTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
        estimated: 0,
        unpriced: 0,
        costMicroUsd: 1,
        durationMs: 1,
      }
      // Each node in another order: were rows taken as they come, two nodes would wait for each other.
      const rollups = Array.from({ length: 200 }, (_, index) => ({
        minute: 60_000 * (index % 2),
        dimensions: dimensions(`key_${index % 100}`),
        sums,
        latency: new Array<number>(12).fill(0),
      }))
      await Promise.all(
        nodes.map(async ({ usage }, node) => {
          const mine = [...rollups.slice(node * 60), ...rollups.slice(0, node * 60)]
          for (let step = 1; step <= 4; step += 1) {
            const expected = step === 1 ? null : String(step - 1)
            await usage.apply({ cursorName: `usage:${node}`, expected, cursor: String(step), rollups: mine })
          }
        }),
      )
      const { rows } = await nodeOf(nodes, 0).usage.query({
        organizationId: 'org_a',
        from: 0,
        to: 600_000,
        groupBy: [],
        filter: {},
        intervalMs: null,
        resolution: 'auto',
        limit: 10,
      })
      assert.equal(rows[0]?.sums.requests, 3 * 4 * 200)
    }))

  test('of two writers under one cursor only one counts', () =>
    withNodes(2, async (nodes) => {
      const batch = { cursorName: 'usage:a', expected: null, cursor: '1', rollups: [] }
      const outcomes = await Promise.allSettled(nodes.map(({ usage }) => usage.apply(batch)))
      assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    }))

  test('text that PostgreSQL cannot store is refused as a mistake of the caller', async () => {
    const { store, close } = await open()
    const name = 'a\u0000b'
    await rejectsWith(
      store.organizations.create({ ...sampleOrganization('org_a'), name }),
      faults.validation.code,
    )
    await rejectsWith(store.organizations.find(name), faults.validation.code)
    assert.equal(await store.organizations.find('org_a'), null)
    await close()
  })

  test('a transaction that waits longer than the statement timeout is refused as unavailable', async () => {
    const url = await server.createDatabase(template)
    const slow = await openPostgresStore(optionsOf(url))
    const hasty = await openPostgresStore({ ...optionsOf(url), statementTimeoutMs: 100 })
    const { promise: written, resolve: write } = Promise.withResolvers<void>()
    const first = slow.store.transaction(() => written)
    await sleep(50)
    await rejectsWith(hasty.store.settings.set('a', 1), faults.storageUnavailable.code)
    write()
    await first
    await hasty.store.settings.set('a', 2)
    assert.equal(await slow.store.settings.get('a'), 2)
    await slow.close()
    await hasty.close()
  })

  test('a transaction that the database asks to repeat is repeated, and unavailable when that does not end', async () => {
    const url = await server.createDatabase(template)
    const { store, close } = await openPostgresStore(optionsOf(url))
    // A sequence counts tries: it is not rolled back.
    await server.execute(
      `create sequence tries;
       create function ask_again() returns trigger language plpgsql as $$ begin
         if nextval('tries') < 3 or new.name = 'never' then raise exception 'again' using errcode = '40001'; end if;
         return new;
       end $$;
       create trigger ask_again before insert on settings for each row execute function ask_again()`,
      url,
    )
    await store.settings.set('later', 1)
    assert.equal(await store.settings.get('later'), 1)
    await rejectsWith(store.settings.set('never', 1), faults.storageUnavailable.code)
    assert.equal(await store.settings.get('never'), null)
    await close()
  })

  test('a server that is not there, or knows no such database or user, is a fault that quotes no password', async () => {
    const url = new URL(template)
    url.password = 'hunter2'
    const absent = new URL(url)
    absent.port = '1'
    const unknown = new URL(url)
    unknown.pathname = '/nowhere'
    for (const each of [absent, unknown]) {
      await assert.rejects(openPostgresStore(optionsOf(each.href)), (error) => {
        assert.ok(error instanceof Fault)
        assert.equal(error.code, faults.storageUnavailable.code)
        return !JSON.stringify([error.publicText, error.internalText]).includes('hunter2')
      })
    }
  })

  test('a killed server makes every use a fault until it is there again; listening goes on by itself', async () => {
    const url = await server.createDatabase(template)
    const seen: boolean[] = []
    const { store, usage, close } = await openPostgresStore({
      ...optionsOf(url),
      onConnection: (isThere) => seen.push(isThere),
    })
    const other = await openPostgresStore(optionsOf(url))
    const heard: number[] = []
    store.subscribe((version) => heard.push(version))
    await store.organizations.create(sampleOrganization('org_a'))
    await server.kill()
    const { storageUnavailable } = faults
    await rejectsWith(store.versions(), storageUnavailable.code)
    await rejectsWith(store.organizations.create(sampleOrganization('org_b')), storageUnavailable.code)
    await rejectsWith(
      store.transaction(async () => {}),
      storageUnavailable.code,
    )
    await rejectsWith(usage.readCursor('a'), storageUnavailable.code)
    await until(() => seen.includes(false))
    await server.restart()
    await until(() => store.versions().then(Boolean, () => false))
    assert.notEqual(await store.organizations.get('org_a'), null)
    await until(() => seen.at(-1) === true)
    assert.deepEqual(seen, [false, true])
    heard.length = 0
    await other.store.organizations.create(sampleOrganization('org_c'))
    await until(() => heard.length > 0)
    await close()
    await other.close()
  })

  test('a transaction whose connection is cut changes nothing, and the next one works', async () => {
    const { store, close } = await open()
    await rejectsWith(
      store.transaction(async (tables) => {
        await tables.settings.set('a', 1)
        await server.execute(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname like 'gatewright_%' and state = 'idle in transaction'`,
        )
        await tables.settings.set('a', 2)
      }),
      faults.storageUnavailable.code,
    )
    assert.equal(await store.settings.get('a'), null)
    await store.settings.set('a', 3)
    assert.equal(await store.settings.get('a'), 3)
    await close()
  })
})
