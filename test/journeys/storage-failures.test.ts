/**
 * Storage that fails under the running product. A file size limit of the process (RLIMIT_FSIZE, set from outside
 * with prlimit) stands for the full disk: every write of a file fails, the database's too. A failing sync is put
 * into the process with a preloaded module.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Agent, request } from 'undici'
import { type Product, type ProductOptions, startProduct } from './product.ts'
import { readLoggedIds, summedRequests, waitForSum } from './usage-on-disk.ts'

/** A product that ends with its test, whatever happens. */
async function start(t: TestContext, options: ProductOptions = {}): Promise<Product> {
  const product = await startProduct(options)
  t.after(() => void product.process.kill('SIGKILL'))
  return product
}

interface Answered {
  readonly status: number
  readonly id: string
  readonly text: string
}

function chat(product: Product, apiKey: string, dispatcher: Agent): Promise<Answered> {
  return request(`${product.http}/v1/chat/completions`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
  }).then(async (response) => ({
    status: response.statusCode,
    id: String(response.headers['x-gatewright-request-id']),
    text: await response.body.text(),
  }))
}

/** Ask until an answer has `status`; the ids of the 200s on the way. */
async function askUntil(
  status: number,
  ask: () => Promise<Answered>,
  most: number,
): Promise<{ readonly served: string[]; readonly last: Answered }> {
  const served: string[] = []
  const deadline = performance.now() + 15_000
  for (let count = 0; count < most && performance.now() < deadline; count += 1) {
    const answer = await ask()
    if (answer.status === 200) served.push(answer.id)
    if (answer.status === status) return { served, last: answer }
    if (status === 200) await sleep(50)
  }
  throw new Error(`no ${status} came`)
}

function limitFiles(product: Product, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(product.process.pid), `--fsize=${bytes}:unlimited`])
}

function addApplication(product: Product, slug: string) {
  return request(`${product.control}/api/v1/organizations/default/applications`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ slug, name: slug }),
  })
}

const readiness = async (product: Product): Promise<number> => (await fetch(`${product.http}/readyz`)).status

test('with a full disk the product serves up to its bound, then answers 503 capacity.not-ready, and with room again it serves, having lost no record', async (t) => {
  const product = await start(t, { config: { usage: { heldBytes: 65_536 } } })
  const agent = new Agent()
  const ask = () => chat(product, product.apiKey, agent)
  const served: string[] = []
  for (let count = 0; count < 20; count += 1) served.push((await ask()).id)
  await waitForSum(product, served.length)

  limitFiles(product, 1)
  const full = await askUntil(503, ask, 2000)
  served.push(...full.served)
  assert.ok(full.served.length >= 50, `${full.served.length} were served from memory`)
  assert.match(full.last.text, /capacity\.not-ready/)
  assert.equal(await readiness(product), 503)
  assert.equal((await fetch(`${product.http}/livez`)).status, 200)
  const refused = await addApplication(product, 'while-full')
  assert.equal(refused.statusCode, 503)
  assert.match(await refused.body.text(), /audit\.unavailable/)
  assert.equal(await summedRequests(product), 20, 'what was summed can be read')
  assert.match(product.output(), /Usage cannot be stored: the event log cannot be written \(EFBIG\)/)

  limitFiles(product, 'unlimited')
  const healed = await askUntil(200, ask, 200)
  served.push(...healed.served)
  assert.equal(await readiness(product), 200)
  assert.equal((await addApplication(product, 'with-room')).statusCode, 201)
  await waitForSum(product, served.length)
  assert.match(product.output(), /Usage is stored again/)
  await agent.close()
  assert.equal(await product.stop({ keep: true }), 0)
  const logged = await readLoggedIds(product.directory)
  assert.deepEqual(new Set(logged), new Set(served))

  const again = await start(t, { directory: product.directory })
  assert.equal(await summedRequests(again), served.length)
  await again.stop()
})

test('a product that is killed while the disk is full starts with room, and has every record that had been on disk', async (t) => {
  const product = await start(t, { config: { usage: { heldBytes: 65_536 } } })
  const agent = new Agent()
  const ask = () => chat(product, product.apiKey, agent)
  for (let count = 0; count < 20; count += 1) await ask()
  await waitForSum(product, 20)
  limitFiles(product, 1)
  await askUntil(503, ask, 2000)
  product.process.kill('SIGKILL')
  await agent.destroy()
  await product.stop({ keep: true })

  const again = await start(t, { directory: product.directory })
  assert.equal(await summedRequests(again), 20, 'what memory held is lost, what the disk had is not')
  const next = new Agent()
  assert.equal((await chat(again, product.apiKey, next)).status, 200)
  await waitForSum(again, 21)
  await next.close()
  await again.stop()
})

/** Preloaded into every thread: no sync of a file succeeds while the flag is there. */
const failingSync = (flag: string): string => `
  import { existsSync } from 'node:fs'
  import { open } from 'node:fs/promises'
  const handle = await open(${JSON.stringify(process.execPath)})
  const methods = Object.getPrototypeOf(handle)
  await handle.close()
  const { datasync } = methods
  methods.datasync = function () {
    if (!existsSync(${JSON.stringify(flag)})) return datasync.call(this)
    return Promise.reject(Object.assign(new Error('input/output error'), { code: 'EIO' }))
  }
`

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('after a failed sync the control plane opens the log again by itself; requests go on and every record counts once', async (t) => {
  const first = await start(t)
  await first.stop({ keep: true })
  const flag = join(first.directory, 'no-sync')
  const module = join(first.directory, 'failing-sync.mjs')
  writeFileSync(module, failingSync(flag))
  // A control plane that starts anew binds again: the test must know where.
  const product = await start(t, {
    directory: first.directory,
    config: { control: { http: { port: await freePort() }, https: { port: 0 } } },
    environment: { NODE_OPTIONS: `--import ${pathToFileURL(module).href}` },
  })
  const agent = new Agent()
  const served: string[] = []
  const serve = async (count: number): Promise<void> => {
    for (let asked = 0; asked < count; asked += 1) {
      const answer = await chat(product, first.apiKey, agent)
      assert.equal(answer.status, 200, answer.text)
      served.push(answer.id)
    }
  }
  await serve(10)
  await waitForSum(product, 10)
  writeFileSync(flag, '')
  await serve(10)
  await sleep(500)
  assert.match(product.output(), /a sync of the event log failed/)
  await serve(10)
  rmSync(flag)
  await serve(10)
  await waitForSum(product, served.length)
  assert.equal(product.process.exitCode, null)
  await agent.close()
  assert.equal(await product.stop({ keep: true }), 0)
  assert.deepEqual(new Set(await readLoggedIds(product.directory)), new Set(served))
  rmSync(product.directory, { recursive: true })
})
