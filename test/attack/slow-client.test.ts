/**
 * Clients that take their time: every wait the listener can be put into has a deadline, it fires at its figure,
 * and a client cannot push it off by sending a little.
 */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import type { ExchangeHandler, ListenerBounds } from '../../src/ports/listener.ts'
import { exchangeRaw, openSocket } from './raw-socket.ts'

const figureMs = 400
/** One tick of 50 ms either way, and the machine's own delay. */
const slackMs = 400
const listeners: HttpListener[] = []

async function start(bounds: Partial<ListenerBounds>, handler: ExchangeHandler): Promise<HttpListener> {
  const listener = await openHttpListener(
    { host: '127.0.0.1', port: 0, reusePort: false, bounds: { ...contractBounds, ...bounds } },
    handler,
  )
  listeners.push(listener)
  return listener
}

afterEach(() => {
  for (const listener of listeners.splice(0)) listener.destroy()
})

function inTime(elapsed: number): void {
  assert.ok(elapsed > figureMs - 60 && elapsed < figureMs + slackMs, `${elapsed} ms, asked for ${figureMs}`)
}

const answer: ExchangeHandler = (inbound) => {
  inbound.readBody(100_000, (failure) => inbound.reply.send(failure === null ? 200 : 408, [], ''))
}

test('slowloris: a head that drips is cut at the header timeout, counted from its start', async () => {
  const listener = await start({ headerTimeoutMs: figureMs }, answer)
  const pieces = [
    'GET / HTTP/1.1\r\n',
    'Host: x\r\n',
    ...Array.from({ length: 100 }, (_, index) => `A${index}: b\r\n`),
  ]
  const outcome = await exchangeRaw(listener.address.port, pieces, { gapMs: 30 })
  assert.deepEqual(outcome.statuses, [408])
  assert.ok(outcome.text.includes('"request.header-timeout"'))
  assert.ok(outcome.closed)
  assert.equal(listener.counters.timedOut, 1)
})

test('slowloris on a kept connection: the second head has its own deadline, from its first byte', async () => {
  const listener = await start({ headerTimeoutMs: figureMs, idleTimeoutMs: 2000 }, answer)
  const socket = await openSocket(listener.address.port)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 600))
  assert.ok(!socket.destroyed && !text.includes(' 408 '), 'the idle wait was taken for a head')
  const started = performance.now()
  socket.write('GET / HT')
  const timer = setInterval(() => socket.write('T'), 50)
  await new Promise((resolve) => socket.once('end', resolve))
  clearInterval(timer)
  inTime(performance.now() - started)
  assert.ok(text.includes(' 408 '))
  socket.destroy()
})

test('slow body: dripping does not push the body timeout off', async () => {
  const listener = await start({ bodyTimeoutMs: figureMs }, answer)
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n'
  const started = performance.now()
  const outcome = await exchangeRaw(listener.address.port, [head, ...Array.from({ length: 40 }, () => 'a')], {
    gapMs: 40,
  })
  assert.deepEqual(outcome.statuses, [408])
  assert.ok(outcome.closed)
  assert.ok(performance.now() - started < 3500)
  assert.equal(listener.counters.timedOut, 1)
})

test('slow chunked body: chunk framing without content does not push the body timeout off', async () => {
  const listener = await start({ bodyTimeoutMs: figureMs }, answer)
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
  const outcome = await exchangeRaw(
    listener.address.port,
    [head, ...Array.from({ length: 40 }, () => '1;e\r\na\r\n')],
    { gapMs: 40 },
  )
  assert.deepEqual(outcome.statuses, [408])
  assert.ok(outcome.closed)
})

test('a body that nobody asked for, dripping after a reply, does not hold the connection', async () => {
  const listener = await start({ bodyTimeoutMs: figureMs }, (inbound) => inbound.reply.send(401, [], 'no'))
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n'
  const outcome = await exchangeRaw(listener.address.port, [head, ...Array.from({ length: 40 }, () => 'a')], {
    gapMs: 40,
  })
  assert.deepEqual(outcome.statuses, [401])
  assert.ok(outcome.closed)
})

test('slow read: a client that takes nothing is cut at the stall timeout, and its memory is freed', async () => {
  let disconnected = 0
  const listener = await start({ replyStallTimeoutMs: figureMs }, (inbound) => {
    inbound.onDisconnect(() => {
      disconnected = performance.now()
    })
    inbound.reply.head(200, [])
    inbound.reply.write(Buffer.alloc(64 * 1024 * 1024))
  })
  const socket = await openSocket(listener.address.port)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const started = performance.now()
  while (disconnected === 0 && performance.now() - started < 3000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  const elapsed = disconnected - started
  assert.ok(elapsed > figureMs - 60 && elapsed < 2 * figureMs + slackMs, `${elapsed} ms`)
  assert.equal(listener.connections, 0)
  socket.destroy()
})

test('slow read of a finished reply, and of pipelined ones, is cut as well', async () => {
  const listener = await start({ replyStallTimeoutMs: figureMs }, (inbound) => {
    inbound.reply.send(200, [], Buffer.alloc(16 * 1024 * 1024))
  })
  const socket = await openSocket(listener.address.port)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500))
  const started = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 100))
  while (listener.connections > 0 && performance.now() - started < 3000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  const elapsed = performance.now() - started
  assert.ok(elapsed > figureMs - 60 && elapsed < 2 * figureMs + slackMs, `${elapsed} ms`)
  socket.destroy()
})

test('pipelining is not answered ahead: one exchange at a time, however much is sent', async () => {
  let open = 0
  let most = 0
  let count = 0
  const listener = await start({}, (inbound) => {
    open += 1
    count += 1
    most = Math.max(most, open)
    setTimeout(() => {
      open -= 1
      inbound.reply.send(200, [], '')
    }, 5)
  })
  const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const outcome = await exchangeRaw(listener.address.port, [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100) + last,
  ])
  assert.equal(most, 1)
  assert.equal(count, 101)
  assert.equal(outcome.statuses.length, 101)
})

test('ten thousand pipelined requests in one go are served without deep recursion', async () => {
  const listener = await start({}, (inbound) => inbound.reply.send(200, [], ''))
  const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const outcome = await exchangeRaw(listener.address.port, [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10_000) + last,
  ])
  assert.equal(outcome.statuses.length, 10_001)
})

test('a half-closed connection counts as gone before its reply, and is answered when the reply is at once', async () => {
  let gone = 0
  const listener = await start({}, (inbound) => {
    inbound.onDisconnect(() => {
      gone += 1
    })
    if (inbound.target === '/now') inbound.reply.send(200, [], 'ok')
  })
  const waiting = await openSocket(listener.address.port)
  waiting.end('GET /later HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => waiting.once('close', resolve))
  assert.equal(gone, 1)
  const quick = await openSocket(listener.address.port)
  let text = ''
  quick.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  quick.end('GET /now HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => quick.once('close', resolve))
  assert.ok(text.endsWith('ok'))
  assert.equal(gone, 1)
})

test('a half-closed connection gets all of a large reply that was ready', async () => {
  const size = 20 * 1024 * 1024
  const listener = await start({}, (inbound) => inbound.reply.send(200, [], Buffer.alloc(size)))
  const socket = await openSocket(listener.address.port)
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  assert.ok(received > size, `${received} bytes`)
})

test('an HTTP/1.0 client is answered and the connection closes; a reply without length lasts until then', async () => {
  const listener = await start({}, (inbound) => {
    if (inbound.target === '/whole') inbound.reply.send(200, [], 'whole')
    else {
      inbound.reply.head(200, [])
      inbound.reply.write('pieces ')
      inbound.reply.end('end')
    }
  })
  const whole = await exchangeRaw(listener.address.port, ['GET /whole HTTP/1.0\r\n\r\n'])
  assert.ok(
    whole.closed && whole.text.includes('content-length: 5\r\n') && whole.text.endsWith('\r\n\r\nwhole'),
  )
  const pieces = await exchangeRaw(listener.address.port, ['GET /pieces HTTP/1.0\r\n\r\n'])
  assert.ok(pieces.closed && pieces.text.endsWith('\r\n\r\npieces end'))
  assert.ok(!pieces.text.includes('transfer-encoding'))
})

test('an answer to a body that is too large reaches a client that is still sending', async () => {
  const listener = await start({}, (inbound) => {
    inbound.readBody(1000, () => inbound.reply.send(413, [], 'too large'))
  })
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
  const piece = `4000\r\n${'a'.repeat(0x4000)}\r\n`
  const outcome = await exchangeRaw(
    listener.address.port,
    [head, ...Array.from({ length: 12 }, () => piece)],
    { gapMs: 5 },
  )
  assert.deepEqual(outcome.statuses, [413])
  assert.ok(outcome.text.endsWith('too large'))
  assert.ok(outcome.closed)
})

test('thousands of pipelined requests do not hold up another client', async () => {
  const busyMs = 0.3
  const order: string[] = []
  const listener = await start({}, (inbound) => {
    const until = performance.now() + busyMs
    while (performance.now() < until);
    order.push(inbound.target)
    inbound.reply.send(200, [], '')
  })
  const other = await openSocket(listener.address.port)
  const flood = exchangeRaw(listener.address.port, ['GET /flood HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1500)], {
    waitMs: 1500,
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  other.write('GET /other HTTP/1.1\r\nHost: x\r\n\r\n')
  await flood
  other.destroy()
  assert.equal(order.length, 1501)
  assert.ok(order.indexOf('/other') < 600, `${order.indexOf('/other')} of 1500 went before`)
})
