/** What happens while the product runs: crashes, reloads, revocations, shutdown. Real threads and processes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { stringify } from 'yaml'
import { freePort } from '../../bench/load/processes.ts'
import { createCounterMemory } from '../../src/compose/counter-memory.ts'
import { loadConfig } from '../../src/config/index.ts'
import { supervise } from '../../src/supervisor/supervise.ts'
import { type Product, startProduct } from './product.ts'
import { openOnEachWorker } from './worker-streams.ts'

const chat = (content: string, own: object = {}): string =>
  JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content }], ...own })

interface Target {
  readonly http: string
  readonly apiKey: string
}

function ask(target: Target, body: string, dispatcher?: Agent) {
  return request(`${target.http}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json' },
    body,
    ...(dispatcher === undefined ? {} : { dispatcher }),
  })
}

/** Requests without pause on connections of their own until `done`; the statuses seen, 0 for a broken one. */
async function load(target: Target, done: () => boolean): Promise<Map<number, number>> {
  const seen = new Map<number, number>()
  const note = (status: number): void => void seen.set(status, (seen.get(status) ?? 0) + 1)
  const one = async (): Promise<void> => {
    const agent = new Agent()
    while (!done()) {
      try {
        const response = await ask(target, chat('sandbox: say=ok'), agent)
        await response.body.text()
        note(response.statusCode)
      } catch {
        note(0)
      }
    }
    await agent.close()
  }
  await Promise.all([one(), one(), one(), one()])
  return seen
}

function admin(product: Product, method: 'GET' | 'POST', path: string) {
  return request(`${product.control}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${product.adminToken}` },
  })
}

/** What the metrics say of requests and restarts. */
async function scrapeRequests(control: string): Promise<{ requests: number; restarts: number }> {
  const text = await (await fetch(`${control}/metrics`)).text()
  const sum = (name: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(name))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  return {
    requests: sum('gatewright_requests_total{'),
    restarts: sum('gatewright_thread_restarts_total '),
  }
}

test('a worker that dies is replaced, is counted, and takes no request of the others with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-'))
  const file = join(directory, 'gatewright.yaml')
  // Workers share a port only when they are told which.
  const gateway = { http: { port: await freePort() }, https: { enabled: false }, workers: 2 }
  writeFileSync(file, stringify({ gateway, control: { http: { port: 0 }, https: { port: 0 } } }))
  const { config } = loadConfig({ file, environment: {}, directory, dataDir: join(directory, 'data') })
  const supervisor = supervise({
    config,
    configFile: file,
    directory,
    extraCertificates: [],
    log: () => {},
    createCounters: createCounterMemory,
  })
  const { dataUrls, welcome } = await supervisor.started
  const target = {
    http: dataUrls[0] ?? '',
    apiKey: welcome.apiKey ?? '',
    control: welcome.controlUrls[0] ?? '',
    adminToken: readFileSync(join(directory, 'data', 'admin-token'), 'utf8').trim(),
  }

  const streams = await openOnEachWorker(target, 2, 'sandbox: chunk-delay=30ms\nsandbox: tokens=120')
  const agents = Array.from({ length: 16 }, () => new Agent())
  await Promise.all(agents.map(async (agent) => (await ask(target, chat('x'), agent)).body.dump()))
  const scrape = () => scrapeRequests(target.control)
  const before = await scrape()
  assert.ok(before.requests >= agents.length, `${before.requests} counted`)
  await supervisor.crashWorker(0)
  const ended = await Promise.all(streams.ends)
  const whole = ended.filter(({ text, broken }) => !broken && text.includes('[DONE]')).length
  assert.equal(whole, streams.perWorker.get(1), 'every stream of the other worker came to its end')
  assert.equal(supervisor.incidents, 1)
  await streams.close()
  await sleep(1500)
  const seen = await Promise.all(
    agents.map(async (agent) => (await ask(target, chat('x'), agent)).statusCode),
  )
  assert.deepEqual(new Set(seen), new Set([200]))
  const after = await scrape()
  assert.ok(after.requests >= before.requests + agents.length, `${after.requests} after ${before.requests}`)
  assert.equal(after.restarts, 1)

  await supervisor.crashControl()
  assert.equal(
    (await ask(target, chat('x'))).statusCode,
    200,
    'the data plane goes on without a control plane',
  )
  await sleep(2500)
  assert.equal(supervisor.incidents, 2)
  await Promise.all(agents.map((agent) => agent.destroy()))
  await supervisor.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('a reload under load fails no request; an invalid file is refused whole with file, line, path and reason', async () => {
  const product = await startProduct({ config: { bounds: { jsonDepth: 20 } } })
  let done = false
  const running = load(product, () => done)
  await sleep(200)
  const base = {
    gateway: { http: { port: 0 }, https: { port: 0 }, workers: 1 },
    control: { http: { port: 0 }, https: { port: 0 } },
  }
  for (let round = 0; round < 3; round += 1) {
    writeFileSync(product.configFile, stringify({ ...base, bounds: { jsonDepth: 6 + round } }))
    product.process.kill('SIGHUP')
    await sleep(150)
  }
  const deep = JSON.stringify({
    model: 'sandbox',
    messages: [],
    metadata: { a: { b: { c: { d: { e: { f: { g: {} } } } } } } },
  })
  await sleep(300)
  assert.equal((await ask(product, deep)).statusCode, 400, 'the new bound is in force')

  writeFileSync(product.configFile, `${stringify(base)}bounds:\n  jsonDepht: 5\n`)
  product.process.kill('SIGHUP')
  await sleep(700)
  assert.match(product.output(), /gatewright\.yaml:\d+: bounds\.jsonDepht: is not a known key/)
  assert.equal((await ask(product, deep)).statusCode, 400, 'the old snapshot stays')
  done = true
  const seen = await running
  assert.deepEqual([...seen.keys()], [200], `statuses ${JSON.stringify([...seen])}`)
  assert.ok((seen.get(200) ?? 0) > 50)
  await product.stop()
})

test('a key in quarantine is refused on every worker within a second; revoked, it opens nothing after 200 ms and its streams end with an error', async () => {
  const [http, https] = [await freePort(), await freePort()]
  const gateway = { http: { port: http }, https: { port: https }, workers: 2 }
  const product = await startProduct({ config: { gateway } })
  const listed = (await (await admin(product, 'GET', '/organizations/default/keys')).body.json()) as {
    items: { id: string }[]
  }
  const id = listed.items[0]?.id ?? ''
  const agents = Array.from({ length: 16 }, () => new Agent())
  const statuses = () =>
    Promise.all(
      agents.map(async (agent) => {
        const response = await ask(product, chat('x'), agent)
        await response.body.dump()
        return response.statusCode
      }),
    )
  assert.deepEqual(new Set(await statuses()), new Set([200]))
  for (const [action, status] of [
    ['quarantine', 403],
    ['release', 200],
  ] as const) {
    assert.equal(
      (await admin(product, 'POST', `/organizations/default/keys/${id}/${action}`)).statusCode,
      200,
    )
    const told = performance.now()
    let seen = new Set(await statuses())
    while (performance.now() - told < 1000 && (seen.size > 1 || !seen.has(status)))
      seen = new Set(await statuses())
    assert.deepEqual(seen, new Set([status]), action)
  }
  const streams = await openOnEachWorker(product, 2, 'sandbox: chunk-delay=50ms\nsandbox: tokens=1000')
  const revoked = await admin(product, 'POST', `/organizations/default/keys/${id}/revoke`)
  assert.equal(revoked.statusCode, 200)
  const began = performance.now()
  for (const { text, at } of await Promise.all(streams.ends)) {
    assert.ok(at - began < 200, `a stream ended after ${Math.round(at - began)} ms`)
    assert.match(text, /auth\.key-revoked/)
    assert.doesNotMatch(text, /\[DONE\]/)
  }
  await sleep(Math.max(0, 200 - (performance.now() - began)))
  assert.deepEqual(new Set(await statuses()), new Set([401]))
  await Promise.all(agents.map((agent) => agent.destroy()))
  await streams.close()
  await product.stop()
})

test('SIGTERM lets a stream finish, refuses new connections, keeps every usage record, and ends with 0', async () => {
  const product = await startProduct()
  const stream = await ask(product, chat('sandbox: chunk-delay=20ms\nsandbox: tokens=30', { stream: true }))
  const text = stream.body.text()
  await sleep(100)
  const stopping = product.stop({ keep: true })
  await sleep(150)
  await assert.rejects(ask(product, chat('x'), new Agent()))
  assert.match(await text, /\[DONE\]/)
  assert.equal(await stopping, 0)

  const again = await startProduct({ directory: product.directory })
  const usage = await admin(again, 'GET', '/organizations/default/usage/summary')
  const { rows } = (await usage.body.json()) as { rows: { sums?: { requests: number }; requests?: number }[] }
  assert.equal(rows[0]?.sums?.requests ?? rows[0]?.requests, 1)
  await again.stop()
})
