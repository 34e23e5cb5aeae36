/**
 * Deadlines at their figure and least rates, both ways, on HTTP/1.1 and HTTP/2, over real sockets: who is too slow goes,
 * who merely has little to say or to read stays.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import { openClient, type Transport } from '../../src/ports/listener.contract-client.ts'
import type { ExchangeHandler, Inbound, ListenerBounds } from '../../src/ports/listener.ts'
import { makeCertificate } from '../../src/ports/upstream-client.contract-server.ts'
import { encodeFields, endHeaders, endStream, frameTypes, openRawHttp2 } from './http2-frames.ts'
import { openSocket } from './raw-socket.ts'
import { watchStolenTime } from './stolen-time.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

interface Start {
  readonly bounds: Partial<ListenerBounds>
  readonly tls?: boolean
}

async function start({ bounds, tls }: Start, handler: ExchangeHandler): Promise<HttpListener> {
  const listener = await openHttpListener(
    {
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      bounds: { ...contractBounds, ...bounds },
      ...(tls === true ? { tls: makeCertificate() } : {}),
    },
    handler,
  )
  closers.push(() => listener.destroy())
  return listener
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function dial(listener: HttpListener): Promise<Socket> {
  const socket = await openSocket(listener.address.port)
  closers.push(() => socket.destroy())
  return socket
}

/** Milliseconds until the other side closes or answers; -1: not within `waitMs`. */
async function endedAfter(socket: Socket, waitMs = 5000): Promise<number> {
  const started = performance.now()
  const outcome = await Promise.race([
    new Promise((resolve) => socket.once('close', resolve)),
    new Promise((resolve) => socket.once('data', resolve)),
    pause(waitMs).then(() => 'late'),
  ])
  return outcome === 'late' ? -1 : performance.now() - started
}

async function until(condition: () => boolean, waitMs = 4000): Promise<void> {
  const started = performance.now()
  while (!condition() && performance.now() - started < waitMs) await pause(10)
  assert.ok(condition())
}

const postHead = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n'

function echoOutcome(inbound: Inbound, streams: boolean): void {
  const answer = (failure?: string | null): void => inbound.reply.send(failure ? 408 : 200, [], '')
  if (!streams) inbound.readBody(1_000_000, answer)
  else inbound.streamBody(1_000_000, { data: () => undefined, end: answer, failure: answer })
}

test('each deadline fires within a tenth of its figure, never before it', async () => {
  const figureMs = 2000
  const bounds = {
    handshakeTimeoutMs: figureMs,
    headerTimeoutMs: figureMs,
    idleTimeoutMs: figureMs,
    bodyGraceMs: 60_000,
  }
  const whole = await start({ bounds: { ...bounds, bodyTimeoutMs: figureMs } }, (inbound) =>
    echoOutcome(inbound, false),
  )
  const streamed = await start({ bounds: { ...bounds, bodyTimeoutMs: figureMs } }, (inbound) =>
    echoOutcome(inbound, true),
  )
  const rated = await start(
    { bounds: { ...bounds, bodyTimeoutMs: 60_000, bodyGraceMs: figureMs, bodyBytesPerSecond: 500 } },
    (inbound) => echoOutcome(inbound, true),
  )
  const secure = await start({ bounds, tls: true }, (inbound) => inbound.reply.send(200, [], ''))
  const measured = new Map<string, Promise<number>>()
  const stolen = watchStolenTime()
  const drips: NodeJS.Timeout[] = []
  const measure = async (
    name: string,
    listener: HttpListener,
    [first, drip]: readonly [string, string],
  ): Promise<void> => {
    const socket = await dial(listener)
    if (first !== '') socket.write(first, 'latin1')
    if (drip !== '') drips.push(setInterval(() => socket.write(drip), 100))
    measured.set(name, endedAfter(socket))
  }
  await measure('no head', whole, ['', ''])
  await measure('head that drips', whole, ['GET / HTTP/1.1\r\n', 'a: b\r\n'])
  await measure('body that stops', whole, [`${postHead}abc`, ''])
  await measure('body that drips', whole, [postHead, 'a'])
  await measure('streamed body that stops', streamed, [`${postHead}abc`, ''])
  await measure('streamed body below the rate', rated, [postHead, 'a'.repeat(40)])
  await measure('no handshake', secure, ['', ''])
  await measure('handshake that stops', secure, ['\x16\x03\x01\x02\x00\x01', ''])
  const kept = await dial(whole)
  kept.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(kept, 'data')
  measured.set('idle', endedAfter(kept))
  await Promise.all(measured.values())
  const latestMs = 1.1 * figureMs + stolen.stop()
  for (const [name, elapsed] of measured) {
    const ms = await elapsed
    assert.ok(ms >= figureMs - 10 && ms <= latestMs, `${name}: ${ms} ms`)
  }
  for (const drip of drips) clearInterval(drip)
})

test('a streamed body above its rate lives as long as it lasts, on both protocols', async () => {
  const bounds = { bodyTimeoutMs: 300, bodyGraceMs: 300, bodyBytesPerSecond: 500 }
  for (const transport of ['http1-plain', 'http2'] satisfies Transport[]) {
    const listener = await start({ bounds, tls: transport === 'http2' }, (inbound) =>
      echoOutcome(inbound, true),
    )
    const client = openClient(transport, listener.address.port)
    closers.push(() => client.close())
    const call = client.call({ method: 'POST', open: true })
    for (let round = 0; round < 24; round += 1) {
      call.write('a'.repeat(100))
      await pause(50)
    }
    call.finish()
    assert.equal((await call.head).status, 200, transport)
  }
})

test('below its rate it fails after the grace, on HTTP/2 as well, and its stream alone', async () => {
  const bounds = { bodyTimeoutMs: 60_000, bodyGraceMs: 400, bodyBytesPerSecond: 500 }
  const listener = await start({ bounds, tls: true }, (inbound) => echoOutcome(inbound, true))
  const client = openClient('http2', listener.address.port)
  closers.push(() => client.close())
  const call = client.call({ method: 'POST', open: true })
  const drip = setInterval(() => call.write('a'), 50)
  const started = performance.now()
  assert.equal((await call.head).status, 408)
  assert.ok(performance.now() - started < 900)
  clearInterval(drip)
  assert.equal((await client.call({ method: 'POST', body: Buffer.from('whole') }).head).status, 200)
})

const replyBytes = 64 * 1024 * 1024

/** Reads at about this rate. */
function readSlowly(socket: Socket, bytesPerSecond: number): void {
  const started = performance.now()
  let taken = 0
  socket.on('data', (chunk: Buffer) => {
    taken += chunk.length
    const ahead = (taken * 1000) / bytesPerSecond - (performance.now() - started)
    if (ahead < 5) return
    socket.pause()
    setTimeout(() => socket.resume(), ahead)
  })
}

/** Whether a reader at this rate is cut; else it has everything. */
async function isCutReading(tls: boolean, bytesPerSecond: number): Promise<boolean> {
  const bounds = { replyStallTimeoutMs: 500, replyBytesPerSecond: 8_000_000 }
  const listener = await start({ bounds, tls }, (inbound) => {
    inbound.reply.send(200, [], Buffer.alloc(replyBytes))
  })
  const plain = await dial(listener)
  const socket = tls
    ? tlsConnect({ socket: plain, ALPNProtocols: ['http/1.1'], rejectUnauthorized: false })
    : plain
  socket.on('error', () => undefined)
  if (tls) await once(socket, 'secureConnect')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  readSlowly(socket, bytesPerSecond)
  await until(() => listener.counters.timedOut > 0 || socket.bytesRead > replyBytes)
  return listener.counters.timedOut > 0
}

test('a reader below the rate is cut though it never stops; one above it is not', async () => {
  for (const tls of [false, true]) {
    assert.equal(await isCutReading(tls, 500_000), true, `slow, tls ${tls}`)
    assert.equal(await isCutReading(tls, 1_000_000_000), false, `quick, tls ${tls}`)
  }
})

test('a stream that has little to send is never cut, however long it lasts', async () => {
  const bounds = { replyStallTimeoutMs: 200, replyBytesPerSecond: 1_000_000 }
  for (const transport of ['http1-plain', 'http2'] satisfies Transport[]) {
    const listener = await start({ bounds, tls: transport === 'http2' }, (inbound) => {
      inbound.reply.head(200, [])
      let left = 10
      const timer = setInterval(() => {
        left -= 1
        if (left > 0) inbound.reply.write('data: x\n\n')
        else {
          clearInterval(timer)
          inbound.reply.end()
        }
      }, 100)
    })
    const client = openClient(transport, listener.address.port)
    closers.push(() => client.close())
    assert.equal((await client.call({}).content()).length, 81, transport)
    assert.equal(listener.counters.timedOut, 0)
  }
})

test('HTTP/2: streams whose window stays shut are reset, and what they held is let go', async () => {
  let gone = 0
  const listener = await start({ bounds: { replyStallTimeoutMs: 400 }, tls: true }, (inbound) => {
    inbound.onDisconnect(() => {
      gone += 1
    })
    inbound.reply.head(200, [])
    inbound.reply.write(Buffer.alloc(100_000))
  })
  const raw = await openRawHttp2(listener.address.port)
  closers.push(() => raw.socket.destroy())
  // SETTINGS_INITIAL_WINDOW_SIZE = 0
  raw.send({ type: frameTypes.settings, flags: 0, stream: 0, payload: Buffer.from([0, 4, 0, 0, 0, 0]) })
  const fields = encodeFields([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/'],
    [':authority', 'x'],
  ])
  const streams = 20
  for (let index = 0; index < streams; index += 1) {
    raw.send({
      type: frameTypes.headers,
      flags: endHeaders | endStream,
      stream: 2 * index + 1,
      payload: fields,
    })
  }
  const started = performance.now()
  await until(() => gone === streams)
  const elapsed = performance.now() - started
  assert.ok(elapsed >= 350 && elapsed < 800, `${elapsed} ms`)
  await until(() => raw.frames.filter((frame) => frame.type === frameTypes.reset).length === streams)
})
