import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import { operations } from '../domain/operations.ts'
import { scanJson } from '../kernel/json-scan.ts'
import { estimateInput } from '../metering/index.ts'
import { findFacts } from './body-facts.ts'
import { rigForTests, startRig } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'
import { digestBody, findLongField, type LargeBodyReader, largeBodyBytes, openMembers } from './large-body.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({ id: 'main', providerId: 'openai', baseUrl: upstream.url, secrets: { apiKey: 'sk-x' } }),
    testDeployment({
      id: 'other',
      providerId: 'anthropic',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-y' },
    }),
  ],
  routes: [testRoute('gpt', ['main']), testRoute('claude', ['other'])],
}))

const terms = { depth: 64, keys: 1000, operationId: 'chat.completions', tenant: 'org_a' }
const chat = operations.find(({ id }) => id === terms.operationId)

/** What a worker makes of a small body: verdict and object. */
function readHere(body: Buffer): { verdict: string; json: JsonObject | null } {
  const scan = scanJson(body, terms)
  if (scan.problem !== 'none') return { verdict: scan.problem, json: null }
  try {
    const json: unknown = JSON.parse(body.toString('utf8'))
    return isJsonObject(json) ? { verdict: 'none', json } : { verdict: 'malformed', json: null }
  } catch {
    return { verdict: 'malformed', json: null }
  }
}

function readThere(body: Buffer): { verdict: string; json: JsonObject | null } {
  const { scan, facts } = structuredClone(digestBody(body, terms))
  if (scan === null) return { verdict: 'malformed', json: null }
  if (scan.problem !== 'none') return { verdict: scan.problem, json: null }
  return facts === null
    ? { verdict: 'malformed', json: null }
    : { verdict: 'none', json: openMembers(body, scan) }
}

const member = fc.oneof(
  fc.constantFrom('model', 'messages', 'metadata', 'user', '__proto__', 'constructor', 'a"b\\', 'ü', '1'),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const value = fc.oneof(
  { arbitrary: fc.jsonValue({ maxDepth: 4 }), weight: 4 },
  {
    arbitrary: fc.integer({ min: 16_000, max: 20_000 }).map((length) => 'lang "ü" '.repeat(length / 9)),
    weight: 1,
  },
)
const objectText = fc
  .array(fc.tuple(member, value), { maxLength: 20 })
  .map((members) => members.map(([name, held]) => `${JSON.stringify(name)} : ${JSON.stringify(held)}`))
  .map((members) => `{ ${members.join(' ,\n')} }`)
const bodies = fc
  .tuple(objectText, fc.option(fc.tuple(fc.nat(), fc.constantFrom('', '"', '}', '\\', ',', '\u0000'))))
  .map(([text, damage]) => {
    if (damage === null) return text
    const at = damage[0] % (text.length + 1)
    return text.slice(0, at) + damage[1] + text.slice(at + 1)
  })

test('a body means the same on either thread: verdict, members in their order, facts', () => {
  fc.assert(
    fc.property(bodies, (text) => {
      const body = Buffer.from(text)
      const here = readHere(body)
      const there = readThere(body)
      assert.equal(there.verdict, here.verdict)
      assert.deepEqual(there.json, here.json)
      if (here.json === null || chat === undefined) return
      assert.equal(JSON.stringify(there.json), JSON.stringify(here.json))
      const { facts } = structuredClone(digestBody(body, terms))
      assert.deepEqual(facts, findFacts(here.json, { body, operation: chat, tenant: 'org_a' }))
      const model = { provider: 'openai', model: 'gpt-5' }
      assert.equal(
        estimateInput({ json: here.json, bytes: body.length, measure: facts?.input ?? null }, model),
        estimateInput({ json: here.json, bytes: body.length }, model),
      )
    }),
    { numRuns: 100 },
  )
})

test('bytes that are no UTF-8 are malformed on the other thread, too', () => {
  const body = Buffer.from([...Buffer.from('{"model":"'), 0xc3, 0x28, ...Buffer.from('"}')])
  assert.deepEqual(digestBody(body, terms), { isUtf8: false, scan: null, facts: null })
})

test('a member is parsed once, when it is read; a field that stages read may not be long', () => {
  const body = Buffer.from(
    JSON.stringify({ messages: ['x'.repeat(20_000)], metadata: { a: 'y'.repeat(70_000) } }),
  )
  const scan = scanJson(body, terms)
  const json = openMembers(body, scan)
  assert.ok(Object.getOwnPropertyDescriptor(json, 'messages')?.get !== undefined)
  assert.equal(json['messages'], json['messages'])
  assert.equal(Object.getOwnPropertyDescriptor(json, 'messages')?.get, undefined)
  assert.equal(findLongField(scan), 'metadata')
})

const filler = 'lorem ipsum dolor sit amet '.repeat(largeBodyBytes / 20)
const message = { role: 'user', content: filler }

test('a large body passes byte for byte, with its model, user and metadata in the record', async () => {
  const body = { messages: [message], user: 'eve', metadata: { team: 'search' }, model: 'gpt' }
  const answer = await rig.call('/v1/chat/completions', { body })
  assert.equal(answer.status, 200, answer.text)
  const [record] = rig.started.records
  assert.deepEqual([record?.model, record?.endUser, record?.tags['team']], ['gpt', 'eve', 'search'])
  const [sent] = rig.upstream.requests
  assert.ok(sent?.body.equals(Buffer.from(JSON.stringify(body))))
})

test('a large body is translated into another dialect whole', async () => {
  await rig.chat({ messages: [message], model: 'claude' })
  const [sent] = rig.upstream.requests
  assert.ok(sent?.body.toString().includes(filler))
  assert.match(sent?.body.toString() ?? '', /"max_tokens"/)
})

test('a large body is refused as a small one is', async () => {
  const text = JSON.stringify({ model: 'gpt', messages: [message] })
  const codeOf = async (body: string | Buffer) => (await rig.call('/v1/chat/completions', { body })).faultCode
  assert.equal(await codeOf(text.slice(0, -1)), 'request.malformed-json')
  assert.equal(await codeOf(`${text.slice(0, -1)},"model":"gpt"}`), 'request.duplicate-field')
  assert.equal(await codeOf(`${text.slice(0, -1)},"Model":"gpt"}`), 'request.duplicate-field')
  assert.equal(
    await codeOf(`${text.slice(0, -1)},"x":${'['.repeat(80)}${']'.repeat(80)}}`),
    'request.json-too-deep',
  )
  assert.equal(
    await codeOf(Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0x7d])])),
    'request.malformed-json',
  )
  assert.equal(await codeOf(`${text.slice(0, -1)},"user":"${'u'.repeat(70_000)}"}`), 'request.invalid-field')
  const members = Array.from({ length: 1100 }, (_, at) => `"k${at}":0`).join()
  assert.equal(await codeOf(`${text.slice(0, -1)},${members}}`), 'request.json-too-many-keys')
  assert.equal(await codeOf(`{"model":"gpt",${members}}`), 'request.json-too-many-keys')
})

async function withReader(
  largeBodies: LargeBodyReader,
  run: (rig: Awaited<ReturnType<typeof startRig>>) => Promise<void>,
) {
  const own = await startRig(() => ({ largeBodies }))
  try {
    await run(own)
  } finally {
    await own.stop()
  }
}

const reading = (answer: 'busy' | 'lost'): LargeBodyReader => ({
  read(_body, _terms, done) {
    setImmediate(done, answer)
    return () => {}
  },
})

test('where too many wait the caller is told to come again; where the thread ended, that it is our fault', async () => {
  const body = { model: 'sandbox', messages: [message] }
  await withReader(reading('busy'), async ({ chat: ask }) => {
    const answer = await ask(body)
    assert.deepEqual([answer.status, answer.faultCode], [503, 'capacity.bodies-held'])
    assert.equal(answer.headers['retry-after'], '1')
  })
  await withReader(reading('lost'), async ({ chat: ask }) => {
    const answer = await ask(body)
    assert.deepEqual([answer.status, answer.faultCode], [500, 'internal.unexpected'])
  })
})

test('a caller who leaves while its body waits takes it along', async () => {
  let cancelled = 0
  const cancel = (): void => {
    cancelled += 1
  }
  const never: LargeBodyReader = { read: () => cancel }
  await withReader(never, async ({ started }) => {
    const ended = new AbortController()
    const call = fetch(`${started.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${started.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox', messages: [message] }),
      signal: ended.signal,
    })
    setTimeout(() => ended.abort(), 300)
    await assert.rejects(call)
    for (let turn = 0; cancelled === 0 && turn < 100; turn += 1)
      await new Promise((done) => setTimeout(done, 20))
    assert.equal(cancelled, 1)
    assert.equal(started.records[0]?.outcome, 'disconnected')
  })
})

/** A provider and a caller on threads of their own, so that this thread has the gateway's work alone. */
const provider = `
  const { parentPort } = require('node:worker_threads')
  const answer = JSON.stringify({ id: 'x', object: 'chat.completion', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })
  require('node:http')
    .createServer((req, res) => req.resume().on('end', () => res.setHeader('content-type', 'application/json').end(answer)))
    .listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address()) })`
const caller = `
  const { parentPort, workerData: { url, headers, body } } = require('node:worker_threads')
  fetch(url, { method: 'POST', headers, body: Buffer.from(new Uint8Array(body)) }).then(async (res) => parentPort.postMessage([res.status, await res.text()]))`

test('a body of 16 MB holds the thread for no more than 10 ms at a time', async (t) => {
  const server = new Worker(provider, { eval: true })
  t.after(() => server.terminate())
  const [{ port }] = (await once(server, 'message')) as [AddressInfo]
  const own = await startRig(() => ({
    deployments: [
      testDeployment({
        id: 'far',
        providerId: 'openai',
        baseUrl: `http://127.0.0.1:${port}`,
        secrets: { apiKey: 'sk-x' },
      }),
    ],
    routes: [testRoute('gpt', ['far'])],
  }))
  t.after(() => own.stop())
  const messages = Array.from({ length: 4000 }, () => ({
    role: 'user',
    content: 'Grüße, "Welt"\n'.repeat(230),
  }))
  const text = JSON.stringify({ model: 'gpt', messages })
  const body = new SharedArrayBuffer(Buffer.byteLength(text))
  Buffer.from(body).write(text)
  assert.ok(body.byteLength > 16_000_000)
  const headers = { authorization: `Bearer ${own.started.apiKey}`, 'content-type': 'application/json' }
  const send = async () => {
    const workerData = { url: `${own.started.url}/v1/chat/completions`, headers, body }
    const [answer] = (await once(new Worker(caller, { eval: true, workerData }), 'message')) as [
      [number, string],
    ]
    assert.equal(answer[0], 200, answer[1])
  }
  await send()
  // A collection of garbage may fall into one turn; work that is always done falls into every run.
  const longest = [await longestTurn(send), await longestTurn(send), await longestTurn(send)]
  assert.ok(Math.min(...longest) < 10, `${longest.join(', ')} ms`)
})

/** Milliseconds of CPU that the longest turn of this thread took; what other programs took of the core does not count. */
async function longestTurn(run: () => Promise<void>): Promise<number> {
  let longest = 0
  let ended = false
  const cpu = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  let before = cpu()
  const turn = () => {
    const now = cpu()
    longest = Math.max(longest, now - before)
    before = now
    if (!ended) setImmediate(turn)
  }
  setImmediate(turn)
  await run()
  ended = true
  return longest
}
