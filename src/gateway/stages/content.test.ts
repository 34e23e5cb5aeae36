import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentBody } from '../../domain/content.ts'
import { createContentOutbox } from '../content-outbox.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testBounds } from '../harness/start-gateway.ts'
import { compileSnapshotLimits } from '../limits/snapshot-limits.ts'
import { compilePlans, pipeline } from '../pipeline.ts'

const maxBytes = 400
const noLimits = compileSnapshotLimits({ limits: [], plans: [], topUps: [] })
const rig = rigForTests(() => ({}))

function setContentLog(isOn: boolean): void {
  const { gateway, config, contents } = rig.started
  contents.length = 0
  gateway.apply({ type: 'config', config: { ...config, ...(isOn ? { contentLog: { maxBytes } } : {}) } })
}
const textOf = (body: ContentBody | undefined): string => Buffer.from(body?.kept ?? []).toString()
const messages = [{ role: 'user', content: 'the merger closes on friday' }]
const chat = (own: object = {}) =>
  rig.call('/v1/chat/completions', { body: { model: 'sandbox', messages, ...own } })

test('off, the rows are not there and nothing is kept', async () => {
  const off = compilePlans(pipeline, {
    contentLog: null,
    guards: null,
    tracing: null,
    policies: null,
    keepsResponses: false,
    events: null,
    bounds: testBounds,
    limits: noLimits,
  })
  for (const { request, finish } of Object.values(off.byClass)) {
    assert.ok(![...request, ...finish].some((row) => row.only === 'content-log'))
  }
  setContentLog(false)
  assert.equal((await chat()).status, 200)
  assert.equal(rig.started.contents.length, 0)
})

test('on, request and answer are handed over whole, with buffers of their own', async () => {
  setContentLog(true)
  const answer = await chat()
  const [record] = rig.started.contents
  assert.equal(textOf(record?.request), JSON.stringify({ model: 'sandbox', messages }))
  assert.equal(textOf(record?.response), answer.text.slice(0, maxBytes))
  assert.deepEqual([record?.id, record?.status], [answer.headers['x-request-id'], 200])
  assert.deepEqual(
    [record?.organizationId, record?.keyId, record?.model],
    ['org_a', rig.started.keyId, 'sandbox'],
  )
  assert.equal(record?.request.kept.buffer.byteLength, record?.request.kept.byteLength)
})

test('bodies beyond the bound are cut, and their size is told', async () => {
  setContentLog(true)
  const answer = await chat({
    user: 'x'.repeat(1000),
    messages: [{ role: 'user', content: 'sandbox: tokens=400' }],
  })
  const [record] = rig.started.contents
  assert.deepEqual([record?.request.kept.byteLength, record?.response.kept.byteLength], [maxBytes, maxBytes])
  assert.ok((record?.request.bytes ?? 0) > 1000)
  assert.equal(record?.response.bytes, Buffer.byteLength(answer.text))
})

test('streams and refusals are kept too, requests without a proven key are not', async () => {
  setContentLog(true)
  await chat({ stream: true, messages: [{ role: 'user', content: 'sandbox: say=hi' }] })
  await chat({ model: 'nope' })
  await rig.call('/v1/chat/completions', { authorized: false, body: { model: 'sandbox', messages } })
  await rig.call('/v1/models')
  const { contents } = rig.started
  assert.equal(contents.length, 2)
  assert.match(textOf(contents[0]?.response), /^data: \{/)
  assert.match(textOf(contents[1]?.response), /access\.model-not-found/)
})

test('content reaches neither notes nor usage records', async () => {
  setContentLog(true)
  await chat()
  await chat({ messages: [{ role: 'user', content: 'sandbox: fail=reset\nthe merger closes' }] })
  assert.doesNotMatch(JSON.stringify([rig.started.notes, rig.started.records]), /merger/)
})

test('an exchange under way ends with the configuration that it began with', async () => {
  setContentLog(true)
  const slow = chat({ messages: [{ role: 'user', content: 'sandbox: delay=200ms\nsandbox: say=late' }] })
  await new Promise((resolve) => setTimeout(resolve, 50))
  setContentLog(false)
  assert.equal((await slow).status, 200)
  assert.equal(rig.started.contents.length, 1)
})

test('the outbox holds up to its bound, drops beyond, and begins anew with another control plane', async () => {
  setContentLog(true)
  await chat()
  const [record] = rig.started.contents
  assert.ok(record)
  const size = record.request.kept.byteLength + record.response.kept.byteLength
  const outbox = createContentOutbox(size * 2)
  const sent: number[] = []
  assert.equal(outbox.add(record), false, 'nobody is there')
  outbox.connect((sequence) => sent.push(sequence))
  assert.deepEqual([outbox.add(record), outbox.add(record), outbox.add(record)], [true, true, false])
  outbox.acknowledge(sent[0] ?? 0)
  outbox.acknowledge(sent[0] ?? 0)
  assert.deepEqual([outbox.add(record), outbox.add(record)], [true, false])
  outbox.connect((sequence) => sent.push(sequence))
  assert.equal(outbox.add(record), true)
})
