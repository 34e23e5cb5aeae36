/**
 * HTTP/2 against the data plane's listener: what would become a second request once it travels on as HTTP/1.1 is
 * refused, and frames that cost the client nothing cannot cost the server much.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
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

type Field = readonly [string, string]

let listener: HttpListener | null = null
const served: string[] = []
const fieldsSeen: string[] = []
const sockets: RawHttp2[] = []

before(async () => {
  listener = await openHttpListener(
    {
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      bounds: { ...contractBounds, headerTimeoutMs: 1000, idleTimeoutMs: 400, http2Streams: 20 },
      tls: makeCertificate(),
    },
    (inbound) => {
      fieldsSeen.push(...inbound.headers)
      inbound.readBody(100_000, (failure) => {
        if (failure === null) served.push(`${inbound.method} ${inbound.target}`)
        if (inbound.target !== '/open') inbound.reply.send(failure === null ? 200 : 400, [], '')
      })
    },
  )
})
after(() => {
  for (const { socket } of sockets) socket.destroy()
  listener?.destroy()
})

async function open(withPreface = true): Promise<RawHttp2> {
  if (listener === null) throw new Error('not before the suite starts')
  const raw = await openRawHttp2(listener.address.port, withPreface)
  sockets.push(raw)
  return raw
}

function headers(stream: number, fields: readonly Field[], flags = endHeaders | endStream): Frame {
  return { type: frameTypes.headers, flags, stream, payload: encodeFields(fields) }
}

const line: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/first'],
  [':authority', 'x'],
]

function replaced(name: string, value: string): readonly Field[] {
  return line.map((field) => (field[0] === name ? ([name, value] as const) : field))
}

async function until(condition: () => boolean, waitMs = 2000): Promise<boolean> {
  const started = performance.now()
  while (!condition() && performance.now() - started < waitMs)
    await new Promise((resolve) => setTimeout(resolve, 10))
  return condition()
}

/** Whether the stream was reset or answered with a refusal (the status is literal or indexed: 400 is index 12). */
function refused(raw: RawHttp2, stream: number): boolean {
  return raw.frames.some(
    (frame) =>
      (frame.stream === stream && frame.type === frameTypes.reset) ||
      frame.type === frameTypes.goaway ||
      (frame.stream === stream && frame.type === frameTypes.headers && frame.payload[0] !== 0x88),
  )
}

const attacks: readonly (readonly [string, readonly Field[]])[] = [
  ['connection', [...line, ['connection', 'close']]],
  ['keep-alive', [...line, ['keep-alive', 'timeout=5']]],
  ['proxy-connection', [...line, ['proxy-connection', 'close']]],
  ['upgrade', [...line, ['upgrade', 'h2c']]],
  ['transfer-encoding', [...line, ['transfer-encoding', 'chunked']]],
  ['te other than trailers', [...line, ['te', 'chunked']]],
  ['upper case in a name', [...line, ['Transfer-encoding', 'chunked']]],
  ['line break in the path', replaced(':path', '/a HTTP/1.1\r\nx: y')],
  ['space in the path', replaced(':path', '/a b')],
  ['fragment in the path', replaced(':path', '/a#b')],
  ['path without a slash', replaced(':path', 'first')],
  ['absolute path', replaced(':path', 'https://y/')],
  ['empty path', replaced(':path', '')],
  ['line break in the method', replaced(':method', 'GET / HTTP/1.1\r\nx: y')],
  ['space in the method', replaced(':method', 'GET /x')],
  ['CONNECT', replaced(':method', 'CONNECT')],
  ['TRACE', replaced(':method', 'TRACE')],
  ['extended CONNECT', [...replaced(':method', 'CONNECT'), [':protocol', 'websocket']]],
  ['line break in the authority', replaced(':authority', 'x\r\ny: z')],
  ['user information in the authority', replaced(':authority', 'a@b')],
  ['plain scheme', replaced(':scheme', 'http')],
  ['host that differs', [...line, ['host', 'y']]],
  ['two hosts', [...line, ['host', 'x'], ['host', 'x']]],
  ['no authority', line.slice(0, 3)],
  ['no path', line.filter(([name]) => name !== ':path')],
  ['no method', line.slice(1)],
  ['two paths', [...line, [':path', '/b']]],
  ['pseudo-header field after a field', [...line.slice(0, 3), ['a', 'b'], [':authority', 'x']]],
  ['unknown pseudo-header field', [...line, [':status', '200']]],
  ['length without a body', [...replaced(':method', 'POST'), ['content-length', '5']]],
  ['two lengths', [...replaced(':method', 'POST'), ['content-length', '0'], ['content-length', '0']]],
  ['signed length', [...replaced(':method', 'POST'), ['content-length', '+0']]],
]

for (const [name, fields] of attacks) {
  test(`refused over HTTP/2: ${name}`, async () => {
    served.length = 0
    const raw = await open()
    raw.send(headers(1, fields))
    assert.ok(await until(() => refused(raw, 1)), 'not refused')
    assert.deepEqual(served, [])
    raw.socket.destroy()
  })
}

/**
 * nghttp2 takes such a field out of the request and goes on (its default for `on_invalid_header`): that is as safe,
 * because what is dropped cannot travel.
 */
const strays: readonly (readonly [string, Field])[] = [
  ['space in a name', ['transfer-encoding ', 'chunked']],
  ['line break in a name', ['a: b\r\ntransfer-encoding', 'chunked']],
  ['colon in a name', ['a:b', 'c']],
  ['empty name', ['', 'c']],
  ['line break in a value', ['a', 'b\r\ntransfer-encoding: chunked']],
  ['bare LF in a value', ['a', 'b\nc: d']],
  ['NUL in a value', ['a', 'b\0c']],
]

for (const [name, field] of strays) {
  test(`never handed on over HTTP/2: ${name}`, async () => {
    served.length = 0
    fieldsSeen.length = 0
    const raw = await open()
    raw.send(headers(1, [...line, field]))
    assert.ok(await until(() => served.length > 0 || refused(raw, 1)))
    assert.ok(served.length <= 1)
    if (served.length === 1) assert.deepEqual(fieldsSeen, ['host', 'x'])
    raw.socket.destroy()
  })
}

test('a well-formed request by the same hand is served', async () => {
  served.length = 0
  const raw = await open()
  raw.send(headers(1, [...line, ['te', 'trailers'], ['host', 'x'], ['cookie', 'a=1'], ['cookie', 'b=2']]))
  assert.ok(await until(() => served.length === 1))
  assert.equal(refused(raw, 1), false)
  raw.socket.destroy()
})

test('content beyond or short of its length never reads as a body', async () => {
  served.length = 0
  for (const content of ['abcdef', 'ab']) {
    const raw = await open()
    raw.send(headers(1, [...replaced(':method', 'POST'), ['content-length', '4']], endHeaders), {
      type: frameTypes.data,
      flags: endStream,
      stream: 1,
      payload: Buffer.from(content),
    })
    assert.ok(await until(() => refused(raw, 1)), 'not refused')
    raw.socket.destroy()
  }
  assert.deepEqual(served, [])
})

test('a header list over the bound is refused', async () => {
  served.length = 0
  const raw = await open()
  raw.send(headers(1, [...line, ...Array.from({ length: 9 }, (): Field => ['a', 'b'.repeat(1780)])]))
  const wide = Array.from({ length: 80 }, (): Field => ['a', 'b'])
  raw.send(headers(3, [...line, ...wide]))
  assert.ok(await until(() => refused(raw, 1)), 'size')
  assert.ok(await until(() => refused(raw, 3)), 'count')
  assert.deepEqual(served, [])
  raw.socket.destroy()
})

function goneWithGoaway(raw: RawHttp2): Promise<boolean> {
  return raw.closed(3000)
}

test('a flood of resets ends the connection', async () => {
  const raw = await open()
  for (let round = 0; round < 60 && !raw.socket.destroyed; round += 1) {
    for (let index = 0; index < 10; index += 1) {
      const stream = 2 * (round * 10 + index) + 1
      raw.send(headers(stream, replaced(':path', '/open')), {
        type: frameTypes.reset,
        flags: 0,
        stream,
        payload: Buffer.from([0, 0, 0, 8]),
      })
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(await goneWithGoaway(raw))
})

test('a flood of pings ends the connection', async () => {
  const raw = await open()
  const ping: Frame = { type: frameTypes.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) }
  raw.send(...Array.from({ length: 100 }, () => ping))
  const started = performance.now()
  assert.ok(await goneWithGoaway(raw))
  assert.ok(performance.now() - started < 800, 'not for the flood')
})

test('a flood of settings ends the connection', async () => {
  const raw = await open()
  const settings: Frame = {
    type: frameTypes.settings,
    flags: 0,
    stream: 0,
    payload: Buffer.from([0, 4, 0, 1, 0, 0]),
  }
  raw.send(...Array.from({ length: 100 }, () => settings))
  const started = performance.now()
  assert.ok(await goneWithGoaway(raw))
  assert.ok(performance.now() - started < 800, 'not for the flood')
})

test('a flood of continuations ends the connection', async () => {
  const raw = await open()
  raw.send({ type: frameTypes.headers, flags: endStream, stream: 1, payload: encodeFields(line) })
  const more: Frame = {
    type: frameTypes.continuation,
    flags: 0,
    stream: 1,
    payload: encodeFields([['a', 'b']]),
  }
  raw.send(...Array.from({ length: 1000 }, () => more))
  const started = performance.now()
  assert.ok(await goneWithGoaway(raw))
  assert.ok(performance.now() - started < 800, 'not for the flood')
})

test('streams past the bound are refused, those within it live', async () => {
  const raw = await open()
  for (let index = 0; index < 25; index += 1) raw.send(headers(2 * index + 1, replaced(':path', '/open')))
  assert.ok(await until(() => [41, 43, 45, 47, 49].every((stream) => refused(raw, stream))))
  assert.equal(refused(raw, 1), false)
  raw.socket.destroy()
})

test('a connection without preface, or with one and no request, is closed at the header timeout', async () => {
  for (const withPreface of [false, true]) {
    const raw = await open(withPreface)
    const started = performance.now()
    assert.ok(await raw.closed(3000))
    const elapsed = performance.now() - started
    assert.ok(elapsed > 900 && elapsed < 1700, `${elapsed} ms`)
  }
})

test('HTTP/1.1 on a connection that chose h2 is refused', async () => {
  served.length = 0
  const raw = await open(false)
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.ok(await raw.closed(3000))
  assert.deepEqual(served, [])
})

test('pings do not keep a connection without streams alive', async () => {
  const raw = await open()
  raw.send(headers(1, line))
  const ping: Frame = { type: frameTypes.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) }
  const timer = setInterval(() => raw.send(ping), 100)
  const closed = await raw.closed(3000)
  clearInterval(timer)
  assert.ok(closed)
})
