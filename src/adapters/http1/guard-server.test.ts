import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { watchStolenTime } from '../../../test/attack/stolen-time.ts'
import { makeCertificate } from '../../ports/upstream-client.contract-server.ts'
import { type GuardBounds, guardedServerOptions, guardServer } from './guard-server.ts'

const wide: GuardBounds = {
  connections: 100,
  connectionsPerAddress: 100,
  newConnectionsPerSecond: 1000,
  handshakesPerSecond: 1000,
  handshakeTimeoutMs: 10_000,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  headerBytes: 16_384,
  replyStallTimeoutMs: 10_000,
  replyBytesPerSecond: 250,
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const answer: RequestListener = (req, res) => {
  req.resume()
  req.on('end', () => res.end(`<${req.socket.remoteAddress}>`))
}

async function start(own: Partial<GuardBounds>, handler = answer, encrypted = false): Promise<number> {
  const bounds = { ...wide, ...own }
  const options = guardedServerOptions(bounds)
  let server: Server
  if (encrypted) {
    const { certificate, privateKey } = makeCertificate()
    server = createHttpsServer(
      { ...options, pauseOnConnect: true, cert: certificate, key: privateKey },
      handler,
    )
  } else server = createHttpServer(options, handler)
  guardServer(server, bounds)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function dial(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  socket.on('error', () => undefined)
  closers.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function closedAfter(socket: Socket): Promise<number> {
  const started = performance.now()
  socket.resume()
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return performance.now() - started
}

const figureMs = 5000

test('head, body and handshake are cut within a tenth of their figures', async () => {
  const bounds = { headerTimeoutMs: figureMs, handshakeTimeoutMs: figureMs }
  const plain = await start({ ...bounds, requestTimeoutMs: 10_000 })
  const hasty = await start({ headerTimeoutMs: figureMs, requestTimeoutMs: figureMs })
  const secure = await start(bounds, answer, true)
  const measure = async (name: string, port: number, [first, drip]: readonly [string, string]) => {
    const socket = await dial(port)
    if (first !== '') socket.write(first)
    const timer = setInterval(() => drip === '' || socket.write(drip), 200)
    const elapsed = await closedAfter(socket)
    clearInterval(timer)
    return { name, elapsed }
  }
  const stolen = watchStolenTime()
  const all = await Promise.all([
    measure('no head', plain, ['', '']),
    measure('head that drips', plain, ['GET / HTTP/1.1\r\n', 'a: b\r\n']),
    measure('body that drips', hasty, ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n', 'a']),
    measure('no handshake', secure, ['', '']),
    measure('handshake that stops', secure, ['\x16\x03\x01', '']),
  ])
  const latestMs = 1.1 * figureMs + 50 + stolen.stop()
  for (const { name, elapsed } of all) {
    assert.ok(elapsed >= figureMs - 20 && elapsed <= latestMs, `${name}: ${elapsed} ms`)
  }
})

test('connections are capped in all and by client, and a place comes back', async () => {
  for (const own of [{ connections: 2 }, { connectionsPerAddress: 2 }]) {
    const port = await start(own)
    const held = [await dial(port), await dial(port)]
    assert.ok((await closedAfter(await dial(port))) < 1000)
    for (const socket of held) socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const later = await dial(port)
    later.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const [reply] = (await once(later, 'data')) as [Buffer]
    assert.match(reply.toString(), /<127\.0\.0\.1>/)
  }
})

test('over TLS requests are served, handshakes in turn by client', async () => {
  const port = await start({ handshakesPerSecond: 20 }, answer, true)
  const reply = await new Promise<number | undefined>((resolve) => {
    const request = httpsRequest(
      { port, host: '127.0.0.1', method: 'POST', rejectUnauthorized: false },
      (res) => resolve(res.resume().statusCode),
    )
    request.end('body')
  })
  assert.equal(reply, 200)
  let flooded = 0
  for (let index = 0; index < 60; index += 1) {
    const flood = tlsConnect({ socket: await dial(port, '127.0.0.2'), rejectUnauthorized: false })
    flood.on('error', () => undefined)
    flood.once('secureConnect', () => {
      flooded += 1
    })
  }
  const good = tlsConnect({ socket: await dial(port), rejectUnauthorized: false })
  await once(good, 'secureConnect')
  assert.ok(flooded < 30, `${flooded} of the flood went before`)
})

test('a reader that takes nothing is cut; one to whom little is said is not', async () => {
  const own = { replyStallTimeoutMs: 1000, replyBytesPerSecond: 1_000_000 }
  let gone = 0
  const port = await start(own, (req, res) => {
    res.on('close', () => {
      gone = performance.now()
    })
    if (req.url === '/large') {
      res.end(Buffer.alloc(64 * 2 ** 20))
      return
    }
    let left = 30
    const timer = setInterval(() => {
      left -= 1
      if (left > 0) res.write('a')
      else {
        clearInterval(timer)
        res.end()
      }
    }, 100)
  })
  const quiet = await dial(port)
  quiet.write('GET /little HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const quietDone = closedAfter(quiet)
  const stalled = await dial(port)
  stalled.pause()
  stalled.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  const started = performance.now()
  while (gone === 0 && performance.now() - started < 4000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const elapsed = gone - started
  assert.ok(elapsed >= 950 && elapsed < 2500, `${elapsed} ms`)
  assert.ok((await quietDone) > 2500, 'the quiet stream was cut')
})
