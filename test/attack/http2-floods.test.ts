/**
 * Frames that cost a client nothing and the server much: each flood ends its connection, and while it lasts clients on
 * other connections are served. What honest clients do that looks alike is not taken for a flood.
 */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import { openClient } from '../../src/ports/listener.contract-client.ts'
import type { ListenerBounds } from '../../src/ports/listener.ts'
import { makeCertificate } from '../../src/ports/upstream-client.contract-server.ts'
import {
  encodeFields,
  endHeaders,
  endStream,
  type Frame,
  frameTypes,
  openRawHttp2,
  type RawHttp2,
} from './http2-frames.ts'
import { rapidResetApart } from './rapid-reset.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

let requests = 0

/** Bodies are taken and counted; `/down` answers with 64 MiB. */
async function start(bounds: Partial<ListenerBounds> = {}): Promise<HttpListener> {
  requests = 0
  const listener = await openHttpListener(
    {
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      bounds: { ...contractBounds, ...bounds },
      tls: makeCertificate(),
    },
    (inbound) => {
      requests += 1
      let bytes = 0
      const { reply } = inbound
      inbound.streamBody(2 ** 30, {
        data: (chunk) => {
          bytes += chunk.length
        },
        end: () => reply.send(200, [], inbound.target === '/down' ? Buffer.alloc(2 ** 26) : String(bytes)),
        failure: () => undefined,
      })
    },
  )
  closers.push(() => listener.destroy())
  return listener
}

async function open(listener: HttpListener): Promise<RawHttp2> {
  const raw = await openRawHttp2(listener.address.port)
  closers.push(() => raw.socket.destroy())
  return raw
}

const line = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'x'],
] as const

function head(stream: number, flags = endHeaders): Frame {
  return { type: frameTypes.headers, flags, stream, payload: encodeFields(line) }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const windowUpdate = 8
const priority = 2
const padded = 8
const one = Buffer.from([0, 0, 0, 1])

const floods: readonly (readonly [string, Frame])[] = [
  ['DATA of one byte', { type: frameTypes.data, flags: 0, stream: 1, payload: Buffer.alloc(1) }],
  ['DATA without content', { type: frameTypes.data, flags: 0, stream: 1, payload: Buffer.alloc(0) }],
  [
    'DATA of padding alone',
    {
      type: frameTypes.data,
      flags: padded,
      stream: 1,
      payload: Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]),
    },
  ],
  ['window updates of a stream', { type: windowUpdate, flags: 0, stream: 1, payload: one }],
  ['window updates of the connection', { type: windowUpdate, flags: 0, stream: 0, payload: one }],
  ['priorities', { type: priority, flags: 0, stream: 1, payload: Buffer.from([0, 0, 0, 0, 16]) }],
  ['frames of an unknown type', { type: 0x77, flags: 0, stream: 0, payload: Buffer.alloc(0) }],
  ['acknowledged pings', { type: frameTypes.ping, flags: 1, stream: 0, payload: Buffer.alloc(8) }],
]

for (const [name, frame] of floods) {
  test(`a flood ends its connection: ${name}`, async () => {
    const listener = await start()
    const raw = await open(listener)
    raw.send(head(1))
    const many: readonly Frame[] = Array.from({ length: 500 }, () => frame)
    const started = performance.now()
    while (!raw.socket.destroyed && performance.now() - started < 4000) {
      raw.send(...many)
      await pause(2)
    }
    const elapsed = performance.now() - started
    assert.ok(elapsed < 2000, `${elapsed} ms`)
    const client = openClient('http2', listener.address.port)
    closers.push(() => client.close())
    assert.equal((await client.call({}).head).status, 200)
  })
}

test('resets that the server is made to send count like those of the client (CVE-2025-8671)', async () => {
  const listener = await start({ http2Streams: 200 })
  const raw = await open(listener)
  const overflow = Buffer.from([0x7f, 0xff, 0xff, 0xff])
  for (let index = 0; index < 2000 && !raw.socket.destroyed; index += 1) {
    const stream = 2 * index + 1
    // A window beyond 2³¹−1 is an error of the stream (RFC 9113 §6.9.1).
    raw.send(head(stream), { type: windowUpdate, flags: 0, stream, payload: overflow })
    if (index % 20 === 0) await pause(1)
  }
  assert.ok(await raw.closed(2000))
  assert.ok(requests < 400, `${requests} requests reached the handler`)
})

/** RFC 7541: an entry of 3,000 bytes goes into the dynamic table, then one byte of the block names it each time. */
function bomb(references: number): Buffer {
  const value = Buffer.alloc(3000, 0x61)
  const length = value.length - 127
  const entry = Buffer.concat([
    Buffer.from([0x40, 1, 0x62, 0x7f, (length % 128) + 128, Math.floor(length / 128)]),
    value,
  ])
  return Buffer.concat([encodeFields(line), entry, Buffer.alloc(references, 0x80 | 62)])
}

test('a header block that unpacks to megabytes is refused before it is unpacked', async () => {
  const listener = await start()
  const raw = await open(listener)
  const before = process.memoryUsage().rss
  for (let index = 0; index < 50; index += 1) {
    raw.send({
      type: frameTypes.headers,
      flags: endHeaders | endStream,
      stream: 2 * index + 1,
      payload: bomb(12_000),
    })
  }
  const started = performance.now()
  await Promise.race([raw.closed(1000), pause(1000)])
  assert.equal(requests, 0)
  assert.ok(raw.frames.some((frame) => frame.type === frameTypes.reset || frame.type === frameTypes.goaway))
  assert.ok(performance.now() - started < 1500)
  // Unpacked they would be 1.8 GB.
  assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20)
})

test('an honest upload in small frames, and a large download, are no floods', async () => {
  const listener = await start()
  const raw = await open(listener)
  raw.send(head(1))
  // Sound in pieces of 320 bytes, five times as fast as it is spoken.
  for (let round = 0; round < 200; round += 1) {
    raw.send({ type: frameTypes.data, flags: 0, stream: 1, payload: Buffer.alloc(320) })
    await pause(8)
  }
  raw.send({ type: frameTypes.data, flags: endStream, stream: 1, payload: Buffer.alloc(0) })
  await pause(100)
  assert.ok(!raw.socket.destroyed && requests === 1)
  const client = openClient('http2', listener.address.port)
  closers.push(() => client.close())
  assert.equal((await client.call({ path: '/down' }).content()).length, 2 ** 26)
  const bodies = Array.from({ length: 200 }, () =>
    client.call({ method: 'POST', body: Buffer.alloc(30_000) }),
  )
  for (const call of bodies.slice(0, 40)) assert.equal((await call.head).status, 200)
  assert.equal(listener.counters.refused, 0)
})

/** Milliseconds within which 99 of 100 requests of a good client are answered. */
async function serve(listener: HttpListener, forMs: number): Promise<number> {
  const client = openClient('http2', listener.address.port)
  closers.push(() => client.close())
  const took: number[] = []
  const end = performance.now() + forMs
  while (performance.now() < end) {
    const started = performance.now()
    assert.equal((await client.call({}).content()).toString(), '0')
    took.push(performance.now() - started)
    await pause(5)
  }
  return took.sort((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? 0
}

test('rapid reset: each connection is cut early, and good clients go on', async () => {
  const listener = await start({ newConnectionsPerSecond: 20 })
  const quietMs = await serve(listener, 500)
  const [attack, attackedMs] = await Promise.all([
    rapidResetApart(listener.address.port, 2000, 4),
    serve(listener, 2000),
  ])
  assert.ok(attack.resets > 1000, `${attack.resets} resets were sent`)
  // 80 connections at once and 20 a second, less what misbehaving costs; each is good for some 200 requests.
  assert.ok(attack.connections < 80, `${attack.connections} connections`)
  // What a busy machine adds; the proof measures without.
  assert.ok(attackedMs < 2 * quietMs + 150, `${attackedMs} ms, ${quietMs} ms without the attack`)
})
