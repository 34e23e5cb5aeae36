/**
 * Everything at once, at random and repeatable: providers that fail in every way, callers that hang up at any time,
 * keys that are revoked and snapshots that are swapped under way. Afterwards nothing may be left of it.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { rigForTests } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'
import type { Fault } from '../fixtures/upstream/upstream-server.ts'

const timeouts = { connectMs: 200, firstByteMs: 120, idleMs: 120, totalMs: 600 }
const rig = rigForTests((upstream) => ({
  deployments: ['openai', 'anthropic', 'gemini'].map((providerId) =>
    testDeployment({
      id: providerId,
      providerId,
      baseUrl: upstream.url,
      secrets: { apiKey: 'sk-test-0001' },
      timeouts,
    }),
  ),
  routes: [
    testRoute('plain', ['openai']),
    testRoute('translated', ['anthropic']),
    testRoute('fallback', ['gemini', 'openai', 'anthropic']),
  ],
  bounds: { keepAliveCommentMs: 20, bodyTimeoutMs: 300, jsonKeys: 1000 },
}))

const rounds = 2000
const concurrency = 32
const settleWithinMs = 10_000

/** Mulberry32: the same run each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = randomFrom(20_260_711)
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
const faults: readonly (Fault | null)[] = [
  null,
  null,
  null,
  { kind: 'reset' },
  { kind: 'close' },
  { kind: 'hang' },
  { kind: 'malformed-sse' },
  { kind: 'wrong-length' },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 503, body: '<html>' },
  { kind: 'status', status: 200, body: 'not json' },
  { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello' },
  { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n' },
  { kind: 'raw', bytes: '\u0000\u0001' },
  { kind: 'drip', pieceBytes: 7, delayMs: 1 },
  { kind: 'cut', afterBytes: 120 },
  { kind: 'stall', afterBytes: 60 },
]

function bodyOf(round: number): string {
  const directive = pick(['say=hello', 'tokens=40 chunk-delay=1ms', 'delay=30ms', 'tokens=5 reasoning'])
  return JSON.stringify({
    model: pick(['plain', 'translated', 'fallback', 'fallback', 'unknown']),
    messages: [{ role: 'user', content: `round ${round}\nsandbox: ${directive}` }],
    stream: random() < 0.6,
  })
}

/** One request on a connection of its own; resolves when that is closed. */
function send(round: number): Promise<void> {
  const body = bodyOf(round)
  const announced = Buffer.byteLength(body) + (random() < 0.05 ? 50 : 0)
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: localhost',
    `authorization: Bearer ${rig.started.apiKey}`,
    'content-type: application/json',
    `content-length: ${announced}`,
    ...(random() < 0.1 ? [`idempotency-key: k${round % 40}`] : []),
    'connection: close',
  ].join('\r\n')
  const wholeRequest = `${head}\r\n\r\n${body}`
  const hangUpAfter = random() < 0.4 ? Math.floor(random() * 60) : 5000
  const firstBytes = random() < 0.2 ? Math.floor(random() * wholeRequest.length) : wholeRequest.length
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(rig.started.url).port), '127.0.0.1')
    const timer = setTimeout(
      () => (random() < 0.5 ? socket.resetAndDestroy() : socket.destroy()),
      hangUpAfter,
    )
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.resume()
    socket.write(wholeRequest.slice(0, firstBytes))
    if (firstBytes < wholeRequest.length) setTimeout(() => socket.write(wholeRequest.slice(firstBytes)), 5)
  })
}

function disturb(): void {
  const { gateway, key, keyId, config } = rig.started
  const draw = random()
  if (draw < 0.006) {
    gateway.apply({ type: 'keys', version: 2, reset: false, upsert: [], remove: [keyId] })
    gateway.apply({ type: 'keys', version: 3, reset: false, upsert: [key], remove: [] })
  } else if (draw < 0.03)
    gateway.apply({ type: 'config', config: { ...config, version: config.version + 1 } })
  const fault = pick(faults)
  if (fault !== null) rig.upstream.failNext(fault)
}

async function run(from: number, to: number): Promise<void> {
  let next = from
  const worker = async (): Promise<void> => {
    while (next < to) {
      const round = next
      next += 1
      disturb()
      await send(round)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

async function settled(): Promise<void> {
  const deadline = Date.now() + settleWithinMs
  while (rig.started.gateway.open > 0 || rig.started.listener.connections > 0) {
    assert.ok(Date.now() < deadline, `${rig.started.gateway.open} exchanges never ended`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function heapMegabytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  rig.started.records.length = 0
  rig.started.notes.length = 0
  rig.upstream.clear()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

test('after faults, hang-ups, revocations and new snapshots at random, no exchange is left and none leaked', async () => {
  const problems: unknown[] = []
  const onProblem = (error: unknown): void => {
    problems.push(error)
  }
  process.on('uncaughtException', onProblem)
  await run(0, rounds / 4)
  await settled()
  const before = heapMegabytes()
  const warm = rig.started.listener.connections
  await run(rounds / 4, rounds)
  await settled()
  const outcomes = new Set(rig.started.records.map((record) => record.outcome))
  const ids = new Set(rig.started.records.map((record) => record.id))
  assert.equal(ids.size, rig.started.records.length, 'each exchange is recorded once')
  assert.deepEqual([...outcomes].sort(), ['completed', 'disconnected', 'failed', 'refused'])
  const internal = rig.started.notes.filter((note) => /^internal\.|^finish\./.test(note.code))
  assert.deepEqual(internal, [])
  assert.equal(warm, 0)
  const growth = heapMegabytes() - before
  assert.ok(growth < 12, `the heap grew by ${growth.toFixed(1)} MB`)
  process.off('uncaughtException', onProblem)
  assert.deepEqual(problems, [])
})
