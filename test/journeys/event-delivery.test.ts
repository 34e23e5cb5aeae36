/**
 * Events of the whole product at a receiver that fails, with kills, a full disk and a control plane that dies. What
 * callers got, what is on disk and what arrived are compared by id.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { type EventReceiver, receiverEnvironment, sendingTo, startReceiver } from './event-receiver.ts'
import { type Product, type ProductOptions, startProduct } from './product.ts'
import { readLoggedIds } from './usage-on-disk.ts'

const environment = receiverEnvironment
const kills = 3
const callers = 4

async function start(t: TestContext, options: ProductOptions): Promise<Product> {
  const product = await startProduct({ environment, ...options })
  t.after(() => void product.process.kill('SIGKILL'))
  return product
}

async function receive(t: TestContext): Promise<EventReceiver> {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  return receiver
}

function chat({ http }: Product, apiKey: string, dispatcher: Agent) {
  return ask({ http, apiKey, dispatcher, model: 'sandbox' })
}

interface Question {
  readonly http: string
  readonly apiKey: string
  readonly dispatcher: Agent
  readonly model: string
}

function ask({ http, apiKey, dispatcher, model }: Question) {
  return request(`${http}/v1/chat/completions`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'sandbox: say=ok' }] }),
  }).then(async (answer) => {
    await answer.body.text()
    return { status: answer.statusCode, id: String(answer.headers['x-gatewright-request-id']) }
  })
}

/** Calls without pause until the product is gone; adds the id of each whole answer. */
async function callUntilGone(product: Product, apiKey: string, answered: Set<string>): Promise<void> {
  const dispatcher = new Agent()
  try {
    for (;;) {
      const { status, id } = await chat(product, apiKey, dispatcher)
      if (status === 200) answered.add(id)
    }
  } catch {
    // It was killed.
  } finally {
    await dispatcher.destroy()
  }
}

async function eventually(condition: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(what())
    await sleep(50)
  }
}

const exchangesAt = ({ events }: EventReceiver): Set<string> =>
  new Set([...events.values()].filter(({ actor }) => actor.kind === 'key').map(({ id }) => id))

const missingFrom = (have: ReadonlySet<string>, want: Iterable<string>): string[] =>
  [...want].filter((id) => !have.has(id))

test('with durable exchanges, three kills under load and 30 % of calls that fail, every answered request arrives, and nothing that is not on disk', async (t) => {
  const receiver = await receive(t)
  receiver.failing = 0.3
  const config = { events: { exchanges: 'durable' }, ...sendingTo(receiver) }
  let product = await start(t, { config })
  const { apiKey, directory } = product
  const answered = new Set<string>()
  for (let round = 0; round < kills; round += 1) {
    const calls = Array.from({ length: callers }, () => callUntilGone(product, apiKey, answered))
    await sleep(700 + round * 173)
    product.process.kill('SIGKILL')
    await Promise.all(calls)
    await product.stop({ keep: true })
    product = await start(t, { directory, config })
  }
  assert.ok(answered.size > 200, `${answered.size} requests were answered`)
  await eventually(
    () => missingFrom(exchangesAt(receiver), answered).length === 0,
    () => `${missingFrom(exchangesAt(receiver), answered).length} of ${answered.size} have not arrived`,
  )
  await product.stop({ keep: true })
  const logged = new Set(await readLoggedIds(directory))
  assert.deepEqual(missingFrom(logged, answered), [], 'what was answered is on disk')
  assert.deepEqual(missingFrom(logged, exchangesAt(receiver)), [], 'what arrived is on disk')
  // What was on disk and not yet sent when the product ended goes with the next one.
  product = await start(t, { directory, config })
  await eventually(
    () => exchangesAt(receiver).size === logged.size,
    () => `${exchangesAt(receiver).size} of ${logged.size} have arrived`,
  )
  assert.equal(receiver.forged, 0)
  t.diagnostic(
    `${kills} kills, ${answered.size} answers, ${logged.size} on disk, ${receiver.repeats} repeats`,
  )
  await product.stop()
})

test('a receiver that is away gets everything once it is there; requests of strangers are counted, and say where they came from', async (t) => {
  const receiver = await receive(t)
  receiver.failing = 1
  const product = await start(t, {
    config: sendingTo(receiver, { streams: ['access', 'security', 'usage'] }),
  })
  const agent = new Agent()
  const answered = new Set<string>()
  for (let count = 0; count < 30; count += 1) answered.add((await chat(product, product.apiKey, agent)).id)
  for (let count = 0; count < 40; count += 1)
    assert.equal((await chat(product, 'gwr_live_nobody', agent)).status, 401)
  for (let count = 0; count < 7; count += 1)
    assert.equal((await request(`${product.http}/no/such/path`, { dispatcher: agent })).statusCode, 404)
  const socket = connect(Number(new URL(product.http).port), '127.0.0.1', () =>
    socket.write('no HTTP\r\n\r\n'),
  )
  socket.resume()
  await sleep(2000)
  receiver.failing = 0
  receiver.events.clear()
  const refusedWith = (code: string) =>
    [...receiver.events.values()].filter(({ reason, actor }) => reason === code && actor.kind === 'unknown')
  const countOf = (code: string): number => refusedWith(code).reduce((sum, { count = 1 }) => sum + count, 0)
  await eventually(
    () =>
      countOf('auth.invalid-key') >= 40 &&
      countOf('request.malformed-http') === 1 &&
      exchangesAt(receiver).size >= 60,
    () => `${countOf('auth.invalid-key')} refusals and ${exchangesAt(receiver).size} exchanges have arrived`,
  )
  assert.equal(countOf('auth.invalid-key'), 40)
  const [refused] = refusedWith('auth.invalid-key')
  assert.deepEqual(
    [refused?.stream, refused?.action, refused?.actor.address, refused?.exchange?.status],
    ['security', 'auth.refused', '127.0.0.1', 401],
  )
  const [stray] = refusedWith('request.malformed-http')
  assert.deepEqual(
    [stray?.stream, stray?.action, stray?.actor.address, stray?.exchange],
    ['security', 'connection.refused', '127.0.0.1', null],
  )
  const unknown = [...receiver.events.values()].filter(({ exchange }) => exchange?.status === 404)
  assert.equal(
    unknown.reduce((sum, { count = 1 }) => sum + count, 0),
    7,
  )
  assert.equal(unknown[0]?.stream, 'access')
  for (const id of answered) {
    assert.equal(receiver.events.get(id)?.actor.address, '127.0.0.1')
    assert.equal(receiver.events.get(`${id}.usage`)?.stream, 'usage')
  }
  const metrics = await fetch(`${product.control}/metrics`).then((answer) => answer.text())
  const figureOf = (series: string): number =>
    Number(
      metrics
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length),
    )
  assert.ok(figureOf('gatewright_export_records_total{sink="siem",result="delivered"}') >= 60, metrics)
  assert.ok(figureOf('gatewright_export_records_total{sink="siem",result="retried"}') > 0)
  assert.equal(figureOf('gatewright_export_dead_letter_total{sink="siem"}'), 0)
  assert.equal(figureOf('gatewright_export_lag_seconds{sink="siem"}'), 0)
  assert.ok(figureOf('gatewright_export_spool_bytes') > 0)
  await agent.close()
  await product.stop()
})

/** Stands for a full disk: no file grows beyond `bytes`. */
function limitFiles(product: Product, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(product.process.pid), `--fsize=${bytes}:unlimited`])
}

test('with a full disk no durable answer is given that would not be on record; with room again, all that was answered arrives', async (t) => {
  const receiver = await receive(t)
  const config = { events: { exchanges: 'durable' }, ...sendingTo(receiver) }
  const product = await start(t, { config })
  const agent = new Agent({ connections: 20 })
  const ask = (count: number) =>
    Promise.all(Array.from({ length: count }, () => chat(product, product.apiKey, agent)))
  const answered = new Set((await ask(20)).map(({ id }) => id))
  limitFiles(product, 1)
  const refused = await ask(20)
  assert.deepEqual(new Set(refused.map(({ status }) => status)), new Set([503]))
  limitFiles(product, 'unlimited')
  for (let served = 0; served < 20; ) {
    const { status, id } = await chat(product, product.apiKey, agent)
    if (status !== 200) continue
    served += 1
    answered.add(id)
  }
  await eventually(
    () => missingFrom(exchangesAt(receiver), answered).length === 0,
    () => `${missingFrom(exchangesAt(receiver), answered).length} have not arrived`,
  )
  await agent.close()
  await product.stop()
})

test('with a full disk, best-effort exchanges go on; what is given up for it is counted to the sink, and no refusal is', async (t) => {
  const receiver = await receive(t)
  const config = {
    events: { exchanges: 'best-effort' },
    usage: { heldBytes: 16_384 },
    ...sendingTo(receiver, { streams: ['access', 'security'] }),
  }
  const product = await start(t, { config })
  const agent = new Agent({ connections: 10 })
  const { http, apiKey } = product
  const askFor = (model: string) => ask({ http, apiKey, dispatcher: agent, model })
  const first = await askFor('sandbox')
  await eventually(
    () => receiver.events.has(first.id),
    () => 'the first has not arrived',
  )
  limitFiles(product, 1)
  const refused = await askFor('unheard-of')
  assert.equal(refused.status, 404)
  const answers: { readonly status: number; readonly id: string }[] = []
  for (let round = 0; round < 20; round += 1)
    answers.push(...(await Promise.all(Array.from({ length: 10 }, () => askFor('sandbox')))))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  limitFiles(product, 'unlimited')
  const arrived = (): number => answers.filter(({ id }) => receiver.events.has(id)).length
  const missing = (): number =>
    [...receiver.events.values()]
      .filter(({ action, resource }) => action === 'events.dropped' && resource?.kind === 'usage-log')
      .reduce((sum, { count = 1 }) => sum + count, 0)
  await eventually(
    () => arrived() + missing() === answers.length && receiver.events.has(`${refused.id}.refused`),
    () => `${arrived()} of ${answers.length} have arrived, ${missing()} are said to be missing`,
  )
  assert.ok(missing() > 50 && arrived() > 0, `${missing()} are missing, ${arrived()} have arrived`)
  await agent.close()
  await product.stop()
})
