/** What one worker learns of a deployment, all of the process know, and the admin API tells. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { startUpstreamServer, type UpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'

const keys = {
  FIRST: 'sk-first-0123456789',
  SECOND: 'sk-second-0123456789',
  CHECKED: 'sk-checked-0123456789',
}
let upstream: UpstreamServer
let product: Product

before(async () => {
  upstream = await startUpstreamServer()
  const deployments = Object.keys(keys).map((name) => ({
    slug: name.toLowerCase(),
    provider: 'openai',
    baseUrl: upstream.url,
    credential: { apiKey: `env:${name}` },
    allowPrivateNetwork: true,
  }))
  const models = [
    {
      name: 'pair',
      targets: [
        { deployment: 'first', model: 'm' },
        { deployment: 'second', model: 'm', priority: 1 },
      ],
    },
    {
      name: 'checked',
      targets: [{ deployment: 'checked', model: 'm' }],
      policy: { healthCheck: { intervalMs: 1000 } },
    },
  ]
  const config = { gateway: { workers: 2 }, deployments, models }
  product = await startProduct({ config, environment: keys })
})
after(async () => {
  await product.stop()
  await upstream.close()
})

/** Over a connection of its own, so that the kernel chooses the worker. */
async function ask(model: string): Promise<number> {
  const dispatcher = new Agent()
  const response = await request(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    dispatcher,
    headers: { authorization: `Bearer ${product.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
  })
  await response.body.dump()
  await dispatcher.close()
  return response.statusCode
}

async function troublesOf(route: string): Promise<readonly unknown[]> {
  const response = await request(`${product.control}/api/v1/organizations/default/routes/${route}/health`, {
    headers: { authorization: `Bearer ${product.adminToken}` },
  })
  const body = (await response.body.json()) as { targets?: { trouble: string }[] }
  return body.targets?.map(({ trouble }) => trouble) ?? [response.statusCode, body]
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 100) {
    assert.ok(waited < 10_000, 'it does not come to that')
    await sleep(100)
  }
}

const chatsOf = (key: string): number =>
  upstream.requests.filter(
    (each) => each.method === 'POST' && each.header('authorization') === `Bearer ${key}`,
  ).length

test('a refused credential is learned once for all workers, and shown', async () => {
  assert.deepEqual(await troublesOf('pair'), ['none', 'none'])
  upstream.failFor(keys.FIRST, { kind: 'status', status: 401 })
  for (let each = 0; each < 12; each += 1) assert.equal(await ask('pair'), 200)
  assert.deepEqual([chatsOf(keys.FIRST), chatsOf(keys.SECOND)], [1, 12])
  assert.deepEqual(await troublesOf('pair'), ['retired', 'none'])
})

test('a health check takes a deployment out of use without a request, and brings it back', async () => {
  upstream.failFor(keys.CHECKED, { kind: 'status', status: 500 })
  await until(async () => (await troublesOf('checked'))[0] === 'unhealthy')
  assert.equal(chatsOf(keys.CHECKED), 0)
  assert.equal(await ask('checked'), 503)
  assert.equal(chatsOf(keys.CHECKED), 0)
  upstream.failFor(keys.CHECKED, null)
  await until(async () => (await troublesOf('checked'))[0] === 'none')
  assert.equal(await ask('checked'), 200)
})
