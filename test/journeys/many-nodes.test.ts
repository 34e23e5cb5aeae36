/**
 * Real gateways on one real PostgreSQL: they start together, see each other's changes in less than a second, and go on
 * serving while the database is killed, without losing a record of usage.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres/postgres-server.ts'
import { type Product, startProduct } from './product.ts'
import { readLoggedIds, summedRequests, waitForSum } from './usage-on-disk.ts'

/** A change on one node is in force on all others within this; milliseconds. */
const spreadWithinMs = 1000

interface Fleet {
  readonly nodes: readonly Product[]
  /** Made by one of them. */
  readonly apiKey: string
  stop(): Promise<void>
}

function nodeOf(fleet: Fleet, index: number): Product {
  const node = fleet.nodes[index]
  assert.ok(node !== undefined)
  return node
}

/** A new directory that holds the root key of all nodes. */
function nodeDirectory(rootKey: Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-node-'))
  mkdirSync(join(directory, 'data'), { mode: 0o700 })
  writeFileSync(join(directory, 'data', 'root.key'), rootKey, { mode: 0o600 })
  return directory
}

const configOn = (database: string) => ({
  config: { storage: { kind: 'postgres', url: 'env:DATABASE_URL' } },
  environment: { DATABASE_URL: database },
})

function call(product: Product, apiKey: string, dispatcher: Agent) {
  return request(`${product.http}/v1/chat/completions`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
  }).then(async (response) => {
    await response.body.text()
    return { status: response.statusCode, id: String(response.headers['x-gatewright-request-id']) }
  })
}

/** `operation`: method and path. */
function admin(product: Product, operation: `${'GET' | 'POST'} ${string}`, body?: object) {
  const [method, path = ''] = operation.split(' ')
  return request(`${product.control}/api/v1${path}`, {
    method: method === 'POST' ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${product.adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).then(async (response) => ({
    status: response.statusCode,
    body: (await response.body.json()) as Record<string, unknown>,
  }))
}

async function makeKey(product: Product): Promise<{ readonly id: string; readonly text: string }> {
  const terms = { application: 'first-application', name: 'key' }
  const { status, body } = await admin(product, 'POST /organizations/default/keys', terms)
  assert.equal(status, 201, JSON.stringify(body))
  return { id: String((body['key'] as { id: string }).id), text: String(body['secret']) }
}

async function versionOf(product: Product): Promise<number> {
  const { body } = await admin(product, 'GET /status')
  return (body['snapshot'] as { version: number }).version
}

/** Milliseconds until every node answers a call with `status`. */
async function untilAll(nodes: readonly Product[], status: number, ask: (node: Product) => Promise<number>) {
  const startedAt = performance.now()
  await Promise.all(
    nodes.map(async (node) => {
      while ((await ask(node)) !== status) {
        assert.ok(performance.now() - startedAt < 10_000, `a node does not answer ${status}`)
        await sleep(5)
      }
    }),
  )
  return performance.now() - startedAt
}

describe('many nodes on one PostgreSQL', { skip: postgresMissing() }, () => {
  let server: PostgresServer
  let fleet: Fleet
  let database: string
  const agent = new Agent()
  /** Ids of the answers under load. */
  const served = new Set<string>()

  before(async () => {
    server = await startPostgres()
    database = await server.createDatabase()
    const rootKey = randomBytes(32)
    const nodes = await Promise.all(
      [0, 1, 2].map(() => startProduct({ ...configOn(database), directory: nodeDirectory(rootKey) })),
    )
    fleet = {
      nodes,
      apiKey: nodes.map((node) => node.apiKey).find((key) => key !== '') ?? '',
      async stop() {
        for (const node of nodes) {
          node.process.kill('SIGKILL')
          await node.stop()
        }
      },
    }
  })
  after(async () => {
    await agent.close()
    await fleet.stop()
    await server.stop()
  })

  test('nodes that start together on an empty database make one set of first objects and one first key', async () => {
    assert.equal(fleet.nodes.filter((node) => node.apiKey !== '').length, 1)
    const { body } = await admin(nodeOf(fleet, 2), 'GET /organizations')
    assert.equal((body['items'] as unknown[]).length, 1)
    for (const node of fleet.nodes) assert.equal((await call(node, fleet.apiKey, agent)).status, 200)
  })

  test('a key that is made on one node and revoked on another is so on all, each in less than a second', async (t) => {
    const { id, text } = await makeKey(nodeOf(fleet, 0))
    const ask = async (node: Product) => (await call(node, text, agent)).status
    const madeMs = await untilAll(fleet.nodes, 200, ask)
    const revoked = await admin(nodeOf(fleet, 1), `POST /organizations/default/keys/${id}/revoke`)
    assert.equal(revoked.status, 200)
    const revokedMs = await untilAll(fleet.nodes, 401, ask)
    t.diagnostic(`made in ${Math.round(madeMs)} ms, revoked in ${Math.round(revokedMs)} ms`)
    assert.ok(madeMs < spreadWithinMs && revokedMs < spreadWithinMs)
  })

  test('a change whose message was lost is seen by all nodes in less than a second', async (t) => {
    const { id, text } = await makeKey(nodeOf(fleet, 2))
    const ask = async (node: Product) => (await call(node, text, agent)).status
    await untilAll(fleet.nodes, 200, ask)
    // As by a node that dies between its commit and the message.
    await server.execute(
      `with next as (update change_versions set value = value + 1 where name = 'current' returning value)
       update api_keys set state = 'revoked', revoked_at = 1, changed_version = next.value from next where id = '${id}'`,
      database,
    )
    const revokedMs = await untilAll(fleet.nodes, 401, ask)
    t.diagnostic(`revoked in ${Math.round(revokedMs)} ms`)
    assert.ok(revokedMs < spreadWithinMs)
  })

  test('nodes whose listening connection was cut listen again', async () => {
    await server.execute(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'`)
    const { text } = await makeKey(nodeOf(fleet, 0))
    const madeMs = await untilAll(fleet.nodes, 200, async (node) => (await call(node, text, agent)).status)
    assert.ok(madeMs < spreadWithinMs)
  })

  test('versions never go back on any node, and all end at the same one', async () => {
    let isChanging = true
    const watch = async (node: Product): Promise<number> => {
      let last = 0
      while (isChanging) {
        const version = await versionOf(node)
        assert.ok(version >= last, `${version} after ${last}`)
        last = version
      }
      return last
    }
    const watching = Promise.all(fleet.nodes.map(watch))
    for (let count = 0; count < 9; count += 1) {
      const made = await admin(nodeOf(fleet, count % 3), 'POST /organizations/default/applications', {
        slug: `application-${count}`,
        name: 'One',
      })
      assert.equal(made.status, 201)
    }
    await sleep(spreadWithinMs)
    isChanging = false
    await watching
    const versions = await Promise.all(fleet.nodes.map(versionOf))
    assert.equal(new Set(versions).size, 1, String(versions))
  })

  test('while PostgreSQL is killed requests go on and administration answers 503; back again, every record is summed once', async (t) => {
    const before = await summedRequests(nodeOf(fleet, 0))
    let isLoading = true
    let failed = 0
    const load = async (node: Product): Promise<void> => {
      const own = new Agent()
      while (isLoading) {
        const { status, id } = await call(node, fleet.apiKey, own)
        if (status === 200) served.add(id)
        else failed += 1
        await sleep(2)
      }
      await own.close()
    }
    const loads = Promise.all(fleet.nodes.map(load))
    await sleep(500)
    await server.kill()
    const servedBefore = served.size
    for (const node of fleet.nodes) {
      for (const [operation, body] of [
        ['GET /organizations', undefined],
        ['POST /organizations/default/applications', { slug: 'x', name: 'x' }],
      ] as const) {
        const answer = await admin(node, operation, body)
        assert.equal(answer.status, 503)
        assert.match(JSON.stringify(answer.body), /storage\.unavailable/)
      }
    }
    await sleep(2000)
    const servedWithout = served.size - servedBefore
    assert.ok(servedWithout > 50, `${servedWithout} were served without the database`)
    await server.restart()
    await untilAll(fleet.nodes, 200, async (node) => (await admin(node, 'GET /organizations')).status)
    await sleep(300)
    isLoading = false
    await loads
    await waitForSum(nodeOf(fleet, 1), before + served.size)
    // A pass of the summing later it is still the same: nothing is counted twice.
    await sleep(1500)
    assert.equal(await summedRequests(nodeOf(fleet, 2)), before + served.size)
    assert.equal(failed, 0)
    t.diagnostic(`${served.size} served, ${servedWithout} of them without the database; ${failed} failed`)
    const { text } = await makeKey(nodeOf(fleet, 0))
    await untilAll(fleet.nodes, 200, async (node) => (await call(node, text, agent)).status)
  })

  test('the logs of all nodes hold each answer of that time once', async () => {
    for (const node of fleet.nodes) assert.equal(await node.stop({ keep: true }), 0)
    const logged = (await Promise.all(fleet.nodes.map((node) => readLoggedIds(node.directory)))).flat()
    assert.equal(new Set(logged).size, logged.length)
    assert.deepEqual(
      [...served].filter((id) => !logged.includes(id)),
      [],
    )
  })

  test('a node with another root key, or with none, is refused with the remedy', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-node-'))
    await assert.rejects(
      startProduct({ ...configOn(database), directory }),
      /key file .*root\.key is missing.*\n.*Copy root\.key/,
    )
    writeFileSync(join(directory, 'data', 'root.key'), Buffer.alloc(32, 7), { mode: 0o600 })
    await assert.rejects(
      startProduct({ ...configOn(database), directory }),
      /key file .*root\.key is not the one that sealed/,
    )
    rmSync(directory, { recursive: true })
  })

  test('a database that is not there is a refusal that says where it was looked for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewright-node-'))
    const away = new URL(database)
    away.port = '1'
    away.password = 'hunter2'
    await assert.rejects(startProduct({ ...configOn(away.href), directory }), (error: Error) => {
      assert.match(error.message, /at 127\.0\.0\.1:1 refuses connections/)
      return !error.message.includes('hunter2')
    })
    rmSync(directory, { recursive: true })
  })
})
