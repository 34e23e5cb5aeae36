import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rigForTests } from './harness/gateway-rig.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const replyBufferBytes = 65_536
const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({
      id: 'openai',
      providerId: 'openai',
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
    }),
  ],
  routes: [testRoute('gpt', ['openai'])],
  bounds: { keepAliveCommentMs: 50, replyBufferBytes },
}))

/** A request on a socket of its own, whose reading the test controls. */
async function openStream(content: string, path = '/v1/chat/completions'): Promise<Socket> {
  const { port } = new URL(rig.started.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const body = JSON.stringify({
    model: 'gpt',
    stream: true,
    max_tokens: 100_000,
    messages: [{ role: 'user', content }],
  })
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.started.apiKey}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  return socket
}

async function waitFor(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not come to be')
    await sleep(5)
  }
}

async function readAll(socket: Socket, until: string): Promise<string> {
  const pieces: string[] = []
  for await (const chunk of socket) {
    pieces.push(String(chunk))
    if (pieces.slice(-2).join('').includes(until)) break
  }
  return pieces.join('')
}

test('a reader that takes nothing pauses the upstream: what is held is bounded', async () => {
  const socket = await openStream('sandbox: tokens=100000')
  await once(socket, 'readable')
  const sent = (): number => rig.upstream.requests[0]?.sentBytes ?? 0
  let before = -1
  while (sent() !== before) {
    before = sent()
    await sleep(300)
  }
  assert.ok(rig.upstream.requests[0]?.answered === false, 'the answer is larger than all buffers')
  // Kernel buffers on both loopback connections come on top of ours.
  assert.ok(sent() < 12_000_000, `${sent()} bytes`)
  const text = await readAll(socket, 'data: [DONE]')
  assert.match(text, /data: \[DONE\]/)
  await waitFor(() => rig.started.records.length === 1)
  assert.equal(rig.started.records[0]?.outcome, 'completed')
  assert.ok((rig.started.records[0]?.outputTokens ?? 0) >= 100_000)
})

test('a caller that goes away ends the upstream call at once, and is metered', async () => {
  const socket = await openStream('sandbox: chunk-delay=20ms\nsandbox: tokens=1000')
  await once(socket, 'data')
  await sleep(100)
  const began = performance.now()
  socket.destroy()
  await rig.upstream.until(() => rig.upstream.requests[0]?.disconnected === true, 1000)
  assert.ok(performance.now() - began < 2000)
  const [record] = rig.started.records
  assert.equal(record?.outcome, 'disconnected')
  assert.ok((record?.outputTokens ?? 0) > 0 && record?.estimated === true)
  assert.ok(record?.costMicroUsd === null || record.costMicroUsd >= 0)
  assert.equal(rig.started.gateway.open, 0)
})

test('a caller that goes away before the answer ends the upstream call too', async () => {
  const socket = await openStream('sandbox: delay=5s')
  await rig.upstream.until(() => rig.upstream.requests[0]?.received === true)
  socket.destroy()
  await rig.upstream.until(() => rig.upstream.requests[0]?.disconnected === true, 1000)
  assert.equal(rig.started.records[0]?.outcome, 'disconnected')
})

test('comments keep a slow start alive, and an error after them is an event, not a status', async () => {
  const socket = await openStream('sandbox: delay=300ms\nsandbox: say=ready')
  const text = await readAll(socket, '[DONE]')
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.ok((text.match(/^: keep-alive$/gm) ?? []).length >= 2)
  socket.destroy()
  const failed = await openStream('sandbox: delay=200ms\nsandbox: fail=429')
  const end = await readAll(failed, '0\r\n\r\n')
  assert.match(end, /^HTTP\/1\.1 200 /)
  assert.match(end, /data: \{"error":.*upstream\.error/)
  failed.destroy()
})

test('revoking the key ends a stream under way with the reason', async () => {
  const socket = await openStream('sandbox: chunk-delay=20ms\nsandbox: tokens=1000')
  await once(socket, 'data')
  const began = performance.now()
  const { gateway, key } = rig.started
  gateway.apply({ type: 'keys', version: 2, reset: false, upsert: [], remove: [key.keyId] })
  const text = await readAll(socket, 'auth.key-revoked')
  assert.ok(performance.now() - began < 1000)
  assert.match(text, /auth\.key-revoked/)
  await rig.upstream.until(() => rig.upstream.requests[0]?.disconnected === true, 1000)
  assert.deepEqual(
    [rig.started.records[0]?.fault, rig.started.records[0]?.outcome],
    ['auth.key-revoked', 'refused'],
  )
  gateway.apply({ type: 'keys', version: 3, reset: true, upsert: [key], remove: [] })
  socket.destroy()
})

test('the figures that were asked for on behalf of the caller stay hidden, and count', async () => {
  const hidden = await rig.chat({ stream: true })
  assert.doesNotMatch(hidden.text, /prompt_tokens/)
  assert.match(hidden.text, /data: \[DONE\]\n\n$/)
  const record = rig.started.records[0]
  assert.ok((record?.inputTokens ?? 0) > 0 && record?.estimated === false)
  const shown = await rig.chat({ stream: true, stream_options: { include_usage: true } })
  assert.match(shown.text, /"choices":\[\],.*prompt_tokens/)
})

test('streams of servers that end their lines with CRLF flow and are metered', async () => {
  const events = [
    'data: {"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": null}',
    'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}',
    'data: [DONE]',
  ]
  const body = events.map((event) => `${event}\r\n\r\n`).join('')
  rig.upstream.failNext({
    kind: 'status',
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body,
  })
  const answer = await rig.chat({ stream: true })
  assert.equal(answer.text, `${events[0]}\r\n\r\n${events[2]}\r\n\r\n`)
  const [record] = rig.started.records
  assert.deepEqual([record?.inputTokens, record?.outputTokens, record?.estimated], [5, 7, false])
})

test('binary and partial answers keep their status', async () => {
  rig.upstream.failNext({
    kind: 'status',
    status: 206,
    headers: { 'content-type': 'application/octet-stream' },
    body: 'part',
  })
  const partial = await rig.call('/v1/files/file-1/content')
  assert.deepEqual([partial.status, partial.text], [206, 'part'])
  assert.equal(rig.started.records.at(-1)?.status, 206)
})
