/** Durable exchanges: what callers have while their record is not on disk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSettings } from '../domain/snapshot.ts'
import { startRig } from './harness/gateway-rig.ts'
import { pipeline } from './pipeline.ts'

const stored: (() => void)[] = []

const allDurable: EventSettings = { exchanges: 'durable', security: 'group' }
const noneDurable: EventSettings = { exchanges: 'group', security: 'group' }

async function startHolding(t: { after: (end: () => Promise<void>) => void }, events = allDurable) {
  stored.length = 0
  const rig = await startRig(() => ({
    config: { events },
    store: (done) => stored.push(done),
  }))
  t.after(() => rig.stop())
  return rig
}

const body = { model: 'sandbox', messages: [{ role: 'user', content: 'sandbox: say=ok' }] }

/** What became of a promise by now. */
async function isSettled(promise: Promise<unknown>, afterMs: number): Promise<boolean> {
  return (await Promise.race([promise.then(() => true), sleep(afterMs, false)])) === true
}

async function untilStored(count: number): Promise<void> {
  for (let waited = 0; stored.length < count && waited < 3000; waited += 5) await sleep(5)
  assert.equal(stored.length, count)
}

test('a whole answer waits for its record, and is the same afterwards', async (t) => {
  const rig = await startHolding(t)
  const answer = rig.call('/v1/chat/completions', { body })
  await untilStored(1)
  assert.equal(await isSettled(answer, 100), false)
  stored[0]?.()
  const { status, text } = await answer
  assert.equal(status, 200)
  assert.match(text, /"content":"ok"/)
  assert.equal(rig.started.records[0]?.outcome, 'completed')
})

test('refusals of proven callers and lists wait, too', async (t) => {
  const rig = await startHolding(t)
  const refused = rig.call('/v1/chat/completions', { body: { ...body, model: 'unheard-of' } })
  await untilStored(1)
  assert.equal(await isSettled(refused, 50), false)
  stored[0]?.()
  assert.equal((await refused).status, 404)
  const models = rig.call('/v1/models')
  await untilStored(2)
  stored[1]?.()
  assert.equal((await models).status, 200)
})

test('of a stream, all but its end comes at once', async (t) => {
  const rig = await startHolding(t)
  const response = await fetch(`${rig.started.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.started.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
  })
  assert.equal(response.status, 200)
  const answer = response.text()
  await untilStored(1)
  assert.equal(await isSettled(answer, 100), false)
  stored[0]?.()
  assert.match(await answer, /ok[\s\S]*data: \[DONE\]\n\n$/)
})

test('an answer whose record does not reach the disk within five seconds becomes 503; a stream is cut', async (t) => {
  const rig = await startHolding(t)
  const unary = rig.call('/v1/chat/completions', { body })
  const stream = rig.call('/v1/chat/completions', { body: { ...body, stream: true } })
  const cut = assert.rejects(stream)
  const { status, faultCode } = await unary
  assert.deepEqual([status, faultCode], [503, 'storage.unavailable'])
  await cut
  for (const late of stored) late()
})

test('where recording itself fails, the answer is refused, too', async (t) => {
  const table = pipeline.map((row) => (row.name === 'record' ? { ...row, run: fail } : row))
  const rig = await startRig(() => ({ table, config: { events: allDurable } }))
  t.after(() => rig.stop())
  assert.equal((await rig.call('/v1/chat/completions', { body })).faultCode, 'storage.unavailable')
})

function fail(): never {
  throw new Error('no record')
}

test('without it nothing waits', async (t) => {
  const rig = await startHolding(t, noneDurable)
  assert.equal((await rig.call('/v1/chat/completions', { body })).status, 200)
  assert.equal(stored.length, 0)
})

test('with durable refusals alone, the answer to who may not waits, and no other does', async (t) => {
  const rig = await startHolding(t, { exchanges: 'best-effort', security: 'durable' })
  assert.equal((await rig.call('/v1/chat/completions', { body })).status, 200)
  assert.equal((await rig.call('/v1/chat/completions', { body: { ...body, messages: 'none' } })).status, 400)
  assert.equal(stored.length, 0)
  const refused = rig.call('/v1/chat/completions', { body: { ...body, model: 'unheard-of' } })
  await untilStored(1)
  assert.equal(await isSettled(refused, 50), false)
  stored[0]?.()
  const { status, faultCode } = await refused
  assert.deepEqual([status, faultCode], [404, 'access.model-not-found'])
})

test('strangers who are refused are told of, and their key is not', async (t) => {
  const rig = await startHolding(t, noneDurable)
  const { refusals } = rig.started
  const key = 'gwr_test_stranger-key'
  await rig.call('/v1/chat/completions', { body, headers: { authorization: `Bearer ${key}` } })
  await rig.call('/v1/chat/completions', { body, authorized: false })
  await rig.call('/wp-login.php')
  await rig.call('/livez')
  await rig.call('/v1/models')
  assert.deepEqual(
    refusals.map(({ fault, status, address, operation }) => [fault, status, address, operation]),
    [
      ['auth.invalid-key', 401, '127.0.0.1', 'chat.completions'],
      ['auth.missing-credentials', 401, '127.0.0.1', 'chat.completions'],
      ['request.not-found', 404, '127.0.0.1', ''],
    ],
  )
  assert.equal(new Set(refusals.map(({ id }) => id)).size, 3)
  assert.ok(!JSON.stringify(refusals).includes('stranger-key'))
})

test('where no sink asks, no address is told or recorded', async (t) => {
  const rig = await startRig(() => ({}))
  t.after(() => rig.stop())
  await rig.call('/v1/chat/completions', { body, authorized: false })
  await rig.call('/v1/chat/completions', { body })
  assert.deepEqual(
    rig.started.refusals.map(({ fault, address }) => [fault, address]),
    [['auth.missing-credentials', '']],
  )
  assert.equal(rig.started.records[0]?.address, undefined)
})
