/**
 * The way in: who is a client, how many connections it may hold and open, who says so for it (PROXY protocol), and
 * whose TLS handshake comes first. Over real sockets; other clients are other loopback addresses.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import type { ListenerBounds } from '../../src/ports/listener.ts'
import { makeCertificate } from '../../src/ports/upstream-client.contract-server.ts'
import { watchStolenTime } from './stolen-time.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

interface Door {
  readonly bounds?: Partial<ListenerBounds>
  readonly tls?: boolean
  readonly isProxy?: (address: string) => boolean
  readonly isShared?: (address: string) => boolean
}

/** A listener that answers with the address that it takes the caller for. */
async function open({ bounds, tls, isProxy, isShared }: Door): Promise<HttpListener> {
  const listener = await openHttpListener(
    {
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      bounds: { ...contractBounds, ...bounds },
      ...(tls === true ? { tls: makeCertificate() } : {}),
      ...(isProxy === undefined ? {} : { isProxy }),
      ...(isShared === undefined ? {} : { isShared }),
    },
    (inbound) => inbound.reply.send(200, ['connection', 'close'], `<${inbound.remoteAddress}>`),
  )
  closers.push(() => listener.destroy())
  return listener
}

async function dial(listener: HttpListener, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({
    port: listener.address.port,
    host: '127.0.0.1',
    localAddress: from,
    noDelay: true,
  })
  socket.on('error', () => undefined)
  closers.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Everything that comes until the other side closes, or nothing more comes for 2 s. */
async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (text.endsWith('>')) socket.destroy()
  })
  const timer = setTimeout(() => socket.destroy(), 2000)
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  clearTimeout(timer)
  return text
}

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const anyProxy = (): boolean => true

function headerOne(address: string): string {
  const family = address.includes(':') ? 'TCP6' : 'TCP4'
  return `PROXY ${family} ${address} ${address} 51234 443\r\n`
}

const headerTwo = Buffer.from(
  '0d0a0d0a000d0a515549540a' + '21110013' + 'cb0071090a000001c82220fb' + '04000401020304',
  'hex',
)

test('the PROXY header says whose connection it is, in one piece with the request and byte by byte', async () => {
  const listener = await open({ isProxy: anyProxy })
  const whole = await dial(listener)
  whole.write(headerOne('203.0.113.9') + request)
  assert.ok((await readAll(whole)).endsWith('<203.0.113.9>'))
  const binary = await dial(listener)
  binary.write(Buffer.concat([headerTwo, Buffer.from(request)]))
  assert.ok((await readAll(binary)).endsWith('<203.0.113.9>'))
  const slow = await dial(listener)
  for (const byte of Buffer.concat([headerTwo, Buffer.from(request)])) {
    slow.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok((await readAll(slow)).endsWith('<203.0.113.9>'))
  const own = await dial(listener)
  own.write(`PROXY UNKNOWN\r\n${request}`)
  assert.ok((await readAll(own)).endsWith('<127.0.0.1>'))
})

test('the PROXY header stands before TLS, also in one piece with the handshake', async () => {
  const listener = await open({ isProxy: anyProxy, tls: true })
  for (const corked of [true, false]) {
    const socket = await dial(listener)
    if (corked) socket.cork()
    socket.write(headerTwo)
    const secured = tlsConnect({ socket, ALPNProtocols: ['http/1.1'], rejectUnauthorized: false })
    process.nextTick(() => socket.uncork())
    await once(secured, 'secureConnect')
    secured.write(request)
    assert.ok((await readAll(secured)).endsWith('<203.0.113.9>'))
  }
})

test('on such a listener anything else is refused without a word, and so is a peer that is no proxy', async () => {
  const listener = await open({ isProxy: (address) => address === '127.0.0.1' })
  for (const bytes of [
    request,
    '\r\n\r\nGET',
    `PROXY TCP4 1.2.3.4\r\n${request}`,
    'PROXY TCP4 '.padEnd(200, '1'),
  ]) {
    const socket = await dial(listener)
    socket.write(bytes)
    assert.equal(await readAll(socket), '')
  }
  const stranger = await dial(listener, '127.0.0.2')
  stranger.write(headerOne('203.0.113.9') + request)
  assert.equal(await readAll(stranger), '')
  assert.equal(listener.counters.refused, 5)
  assert.equal(listener.connections, 0)
})

test('a second PROXY header, and one where none is expected, are no HTTP', async () => {
  const proxied = await dial(await open({ isProxy: anyProxy }))
  proxied.write(headerOne('203.0.113.9') + headerOne('6.6.6.6') + request)
  assert.match(await readAll(proxied), /^HTTP\/1\.1 400 /)
  const plain = await dial(await open({}))
  plain.write(headerOne('6.6.6.6') + request)
  assert.match(await readAll(plain), /^HTTP\/1\.1 400 /)
})

test('a PROXY header that does not end is cut at the handshake timeout', async () => {
  const figureMs = 1000
  const listener = await open({ isProxy: anyProxy, bounds: { handshakeTimeoutMs: figureMs } })
  const socket = await dial(listener)
  const stolen = watchStolenTime()
  const started = performance.now()
  socket.write('PROXY UNKNOWN ')
  const timer = setInterval(() => socket.write('a'), 100)
  assert.equal(await readAll(socket), '')
  clearInterval(timer)
  const elapsed = performance.now() - started
  assert.ok(elapsed >= figureMs - 50 && elapsed <= 1.1 * figureMs + stolen.stop(), `${elapsed} ms`)
})

test('behind a proxy, caps count the client that it names, by /64', async () => {
  const listener = await open({ isProxy: anyProxy, bounds: { connectionsPerAddress: 2 } })
  const held = async (address: string): Promise<Socket> => {
    const socket = await dial(listener)
    socket.write(headerOne(address))
    await new Promise((resolve) => setTimeout(resolve, 30))
    return socket
  }
  await held('2001:db8:0:1::1')
  await held('2001:db8:0:1::2')
  const third = await held('2001:db8:0:1:ffff::3')
  assert.match(await readAll(third), /^HTTP\/1\.1 503 /)
  const other = await held('2001:db8:0:2::1')
  other.write(request)
  assert.ok((await readAll(other)).endsWith('<2001:db8:0:2::1>'))
})

test('a client opens connections at its pace; others are not held up', async () => {
  const listener = await open({ bounds: { newConnectionsPerSecond: 5 } })
  const answers: string[] = []
  for (let round = 0; round < 30; round += 1) {
    const socket = await dial(listener, '127.0.0.2')
    socket.write(request)
    answers.push((await readAll(socket)).slice(9, 12))
  }
  const served = answers.filter((status) => status === '200').length
  assert.ok(served >= 20 && served <= 22, `${served} of 30`)
  assert.equal(listener.counters.capped, 30 - served)
  const other = await dial(listener)
  other.write(request)
  assert.ok((await readAll(other)).endsWith('<127.0.0.1>'))
})

test('a trusted proxy brings many clients: its connections are counted in all, not as those of one', async () => {
  const bounds = { connectionsPerAddress: 1, newConnectionsPerSecond: 1, connections: 20 }
  const listener = await open({ bounds, isShared: (address) => address === '127.0.0.2' })
  const held: Socket[] = []
  for (let index = 0; index < 20; index += 1) held.push(await dial(listener, '127.0.0.2'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(listener.connections, 20)
  const beyond = await dial(listener, '127.0.0.2')
  assert.match(await readAll(beyond), /^HTTP\/1\.1 503 /)
  for (const socket of held) socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await dial(listener)
  assert.match(await readAll(await dial(listener)), /^HTTP\/1\.1 503 /)
})

test('a flood of handshakes waits for its turns; another client is let in between', async () => {
  const perSecond = 20
  const listener = await open({ tls: true, bounds: { handshakesPerSecond: perSecond } })
  let done = 0
  const shake = async (from: string): Promise<TLSSocket> => {
    const secured = tlsConnect({ socket: await dial(listener, from), rejectUnauthorized: false })
    secured.on('error', () => undefined)
    return secured
  }
  for (let index = 0; index < 60; index += 1) {
    const flood = await shake('127.0.0.2')
    flood.once('secureConnect', () => {
      done += 1
    })
  }
  await new Promise((resolve) => setTimeout(resolve, 150))
  const started = performance.now()
  await once(await shake('127.0.0.1'), 'secureConnect')
  const waited = performance.now() - started
  assert.ok(waited < 500, `${waited} ms`)
  assert.ok(done < 30, `${done} handshakes of the flood went before`)
})

test('connections that send nothing take no turn of a handshake', async () => {
  const listener = await open({ tls: true, bounds: { handshakesPerSecond: 1 } })
  for (let index = 0; index < 50; index += 1) await dial(listener, '127.0.0.2')
  const socket = tlsConnect({ port: listener.address.port, host: '127.0.0.1', rejectUnauthorized: false })
  closers.push(() => socket.destroy())
  const started = performance.now()
  await once(socket, 'secureConnect')
  assert.ok(performance.now() - started < 500)
  assert.equal(listener.connections, 51)
})
