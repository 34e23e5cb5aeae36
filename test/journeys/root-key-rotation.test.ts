/** How an operator rotates the keys that protect what is stored, on a product that has sealed credentials. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { runCli } from '../../src/cli/create-program.ts'
import { startUpstreamServer } from '../fixtures/upstream/upstream-server.ts'
import { type Product, startProduct } from './product.ts'

async function admin(product: Product, path: string, body: object): Promise<{ readonly secret: string }> {
  const response = await request(`${product.control}/api/v1/organizations/default/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(response.statusCode, 201)
  return (await response.body.json()) as { secret: string }
}

async function ask(product: Product, apiKey: string): Promise<number> {
  const response = await request(`${product.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sealed', messages: [{ role: 'user', content: 'hello' }] }),
  })
  await response.body.dump()
  return response.statusCode
}

/** What a worker is told takes a moment to be in force. */
async function asksUntil200(product: Product, apiKey: string): Promise<void> {
  const deadline = Date.now() + 5000
  while ((await ask(product, apiKey)) !== 200) {
    assert.ok(Date.now() < deadline, 'it is not served')
    await sleep(20)
  }
}

/** The command line on the machine of the product, as JSON. */
async function cli(product: Product, line: string): Promise<unknown> {
  let out = ''
  let complaint = ''
  const code = await runCli([...line.split(' '), '--json'], {
    environment: { GATEWRIGHT_URL: product.control, GATEWRIGHT_TOKEN: product.adminToken },
    directory: product.directory,
    out(text) {
      out += text
    },
    err(text) {
      complaint += text
    },
    readInput: async () => '',
    now: Date.now,
  })
  assert.equal(code, 0, complaint)
  return JSON.parse(out)
}

test('after a rotation of root key and pepper everything works with the new root key alone', async (t) => {
  const upstream = await startUpstreamServer()
  t.after(() => upstream.close())
  const sentSecrets = () => new Set(upstream.requests.map((each) => each.header('authorization')))
  const first = await startProduct()
  const { directory, apiKey } = first
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const rootKey = join(directory, 'data', 'root.key')
  await admin(first, 'deployments', {
    slug: 'sealed',
    provider: 'openai-compatible',
    baseUrl: `${upstream.url}/v1`,
    allowPrivateNetwork: true,
    credential: { secrets: { apiKey: 'sk-sealed-before' } },
  })
  await admin(first, 'routes', { name: 'sealed', targets: [{ deployment: 'sealed', model: 'sandbox' }] })
  await asksUntil200(first, apiKey)
  await first.stop({ keep: true })

  renameSync(rootKey, `${rootKey}.before`)
  writeFileSync(rootKey, randomBytes(32), { mode: 0o600 })
  await assert.rejects(startProduct({ directory }), /is not the one that sealed/)
  const config = { secrets: { otherRootKeyFiles: [`${rootKey}.before`] } }
  const both = await startProduct({ directory, config })
  await asksUntil200(both, apiKey)
  assert.deepEqual(await cli(both, 'secrets rewrap'), {
    credentials: { rewrapped: 1, kept: 0, unreadable: 0 },
    peppers: { rewrapped: 1, kept: 0 },
    // Done at the start: every node has its own.
    auditKeys: { rewrapped: 0, kept: 3 },
  })
  assert.deepEqual(await cli(both, 'secrets rotate-pepper'), { current: 2, kept: [1], dropped: [] })
  const { secret } = await admin(both, 'keys', { application: 'first-application', name: 'later' })
  await asksUntil200(both, secret)
  assert.equal(await ask(both, apiKey), 200, 'a key under the pepper before goes on working')
  await both.stop({ keep: true })
  assert.match(
    both.output(),
    /"code":"secrets\.rewrapped","requestId":"\w+","text":"admin token \w+ rewrapped 1/,
  )
  assert.match(both.output(), /"code":"secrets\.pepper-rotated"/)

  rmSync(`${rootKey}.before`)
  const alone = await startProduct({ directory })
  for (const key of [apiKey, secret]) await asksUntil200(alone, key)
  assert.deepEqual(sentSecrets(), new Set(['Bearer sk-sealed-before']))
  await alone.stop({ keep: true })
})
