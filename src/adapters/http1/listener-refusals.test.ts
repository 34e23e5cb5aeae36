/** What a listener tells of connections that never come to a request: why, from where, and nothing of what was sent. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { contractBounds } from '../../ports/listener.contract-bench.ts'
import type { ListenerRefusal, ListenOptions } from '../../ports/listener.ts'
import { makeCertificate } from '../../ports/upstream-client.contract-server.ts'
import { openHttpListener } from './server.ts'

const secret = 'sk-live-7731-secret'

async function openListener(t: TestContext, own: Partial<ListenOptions> = {}) {
  const refusals: ListenerRefusal[] = []
  const listener = await openHttpListener(
    {
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      bounds: contractBounds,
      refused: (refusal) => refusals.push(refusal),
      ...own,
    },
    ({ reply }) => reply.send(200, [], 'ok'),
  )
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    listener.destroy()
  })
  const { port } = listener.address
  const open = (bytes: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.resume()
    })
  return { refusals, port, open }
}

const told = (refusals: readonly ListenerRefusal[]) => refusals.map(({ reason, status }) => [reason, status])

test('bytes that are no request are told of by the fault that answered them', async (t) => {
  const { refusals, open } = await openListener(t)
  await open(`${secret} is no request\r\n\r\n`)
  await open(`GET / HTTP/3.0\r\nhost: ${secret}\r\n\r\n`)
  await open(`GET / HTTP/1.1\r\nhost: a\r\nx: ${secret.repeat(10_000)}\r\n\r\n`)
  assert.deepEqual(told(refusals), [
    ['request.malformed-http', 400],
    ['request.http-version', 505],
    ['request.headers-too-large', 431],
  ])
  assert.ok(refusals.every(({ address }) => address === '127.0.0.1'))
  assert.ok(!JSON.stringify(refusals).includes(secret))
})

test('a connection beyond the cap is told of; one that serves requests is not', async (t) => {
  const bounds = { ...contractBounds, connectionsPerAddress: 1 }
  const { refusals, open } = await openListener(t, { bounds })
  void open('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await open('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  assert.deepEqual(told(refusals), [['capacity.too-many-connections', 503]])
})

test('a handshake that does not come about is told of once: no TLS, or no version in common', async (t) => {
  const { refusals, open, port } = await openListener(t, { tls: makeCertificate() })
  await open(`GET /?key=${secret} HTTP/1.1\r\nhost: a\r\n\r\n`)
  await new Promise<void>((resolve) => {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
  const deadline = Date.now() + 2000
  while (refusals.length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(told(refusals), [
    ['tls.handshake-failed', 0],
    ['tls.handshake-failed', 0],
  ])
  assert.ok(!JSON.stringify(refusals).includes(secret))
})

test('who is none of the proxies of a listener is told of', async (t) => {
  const { refusals, open } = await openListener(t, { isProxy: () => false })
  await open('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n')
  assert.deepEqual(told(refusals), [['proxy.not-trusted', 0]])
})
