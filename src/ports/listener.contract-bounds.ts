/** Guarantees about deadlines, caps, certificates and the end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as netConnect, type Socket } from 'node:net'
import { test } from 'node:test'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { contractBounds, type ListenerBench } from './listener.contract-bench.ts'

/** Timers fire within two ticks of 50 ms; the rest is the machine's. */
const slackMs = 350

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function closedAfter(socket: Socket): Promise<number> {
  const started = performance.now()
  socket.on('error', () => undefined)
  socket.resume()
  // Not `once`, which rejects where a refused connection ends with an error first.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return performance.now() - started
}

async function opened(bench: ListenerBench, port: number): Promise<Socket> {
  const protocols = bench.transport === 'http2' ? ['h2'] : ['http/1.1']
  const socket: Socket =
    bench.tls === undefined
      ? netConnect(port, '127.0.0.1')
      : tlsConnect({ port, host: '127.0.0.1', ALPNProtocols: protocols, rejectUnauthorized: false })
  await once(socket, bench.tls === undefined ? 'connect' : 'secureConnect')
  return socket
}

function inTime(elapsed: number, figure: number): void {
  assert.ok(elapsed >= figure - 30 && elapsed <= figure + slackMs, `${elapsed} ms, asked for ${figure}`)
}

export function boundGuarantees(bench: ListenerBench): void {
  test('a connection that never sends a request is closed at the header timeout', async () => {
    const { port } = await bench.start(() => undefined, { headerTimeoutMs: 300 })
    inTime(await closedAfter(await opened(bench, port)), 300)
  })

  test('a connection without a request under way is closed at the idle timeout', async () => {
    const { client, listener } = await bench.start((inbound) => inbound.reply.send(200, [], ''), {
      idleTimeoutMs: 300,
    })
    await client.call({}).content()
    const started = performance.now()
    assert.equal(listener.connections, 1)
    while (listener.connections > 0 && performance.now() - started < 3000) await pause(10)
    const farewell = bench.transport === 'http2' ? 100 : 0
    const elapsed = performance.now() - started
    assert.ok(elapsed >= 270 && elapsed <= 300 + slackMs + farewell, `${elapsed} ms`)
  })

  test('a body that stops, and one that drips, fail at the body timeout', async () => {
    const failures: string[] = []
    const { client } = await bench.start(
      (inbound) => {
        const started = performance.now()
        inbound.readBody(1000, (failure) => {
          failures.push(String(failure))
          inbound.reply.send(408, [], String(Math.round(performance.now() - started)))
        })
      },
      { bodyTimeoutMs: 300 },
    )
    const still = client.call({ method: 'POST', open: true })
    still.write('a')
    inTime(Number((await still.content()).toString()), 300)
    const drip = client.call({ method: 'POST', open: true })
    const timer = setInterval(() => drip.write('b'), 50)
    inTime(Number((await drip.content()).toString()), 300)
    clearInterval(timer)
    assert.deepEqual(failures, ['timeout', 'timeout'])
  })

  test('a paused body does not time out', async () => {
    const { client } = await bench.start(
      (inbound) => {
        inbound.streamBody(1000, {
          data: () => {
            inbound.pauseBody()
            setTimeout(() => inbound.resumeBody(), 500)
          },
          end: () => inbound.reply.send(200, [], ''),
          failure: () => inbound.reply.send(408, [], ''),
        })
      },
      { bodyTimeoutMs: 200 },
    )
    const call = client.call({ method: 'POST', open: true })
    call.write('a')
    await pause(550)
    call.finish()
    assert.equal((await call.head).status, 200)
  })

  test('a reader that takes nothing is cut at the reply stall timeout', async () => {
    let cutAt = 0
    let stoppedAt = 0
    const { client } = await bench.start(
      (inbound) => {
        const { reply } = inbound
        const piece = Buffer.alloc(256 * 1024)
        const pump = (): void => {
          for (let round = 0; round < 1000; round += 1) {
            if (!reply.write(piece)) {
              stoppedAt = performance.now()
              return
            }
          }
        }
        inbound.onDisconnect(() => {
          cutAt = performance.now()
        })
        reply.head(200, [])
        reply.onDrain(pump)
        pump()
      },
      { replyStallTimeoutMs: 300 },
    )
    await client.call({}).head
    const started = performance.now()
    while (cutAt === 0 && performance.now() - started < 5000) await pause(20)
    assert.ok(cutAt !== 0, 'never cut')
    const elapsed = cutAt - stoppedAt
    assert.ok(elapsed >= 270 && elapsed <= 2 * 300 + slackMs, `${elapsed} ms`)
  })

  test('a reader that is slow but steady is not cut', async () => {
    const size = 10 * 1024 * 1024
    const { client } = await bench.start((inbound) => inbound.reply.send(200, [], Buffer.alloc(size)), {
      replyStallTimeoutMs: 700,
    })
    const source = await client.call({}).source
    let received = 0
    source.on('data', (chunk: Buffer) => {
      received += chunk.length
      source.pause()
      setTimeout(() => source.resume(), 2)
    })
    await once(source, 'end')
    assert.equal(received, size)
  })

  test('connections past the cap are closed at accept, in all and by address', async () => {
    for (const caps of [{ connections: 2 }, { connectionsPerAddress: 2 }]) {
      const { port, listener } = await bench.start(() => undefined, caps)
      const held = [await opened(bench, port), await opened(bench, port)]
      const third = netConnect(port, '127.0.0.1')
      assert.ok((await closedAfter(third)) < 1000)
      assert.equal(listener.connections, 2)
      for (const socket of held) socket.destroy()
      await pause(50)
      const later = await opened(bench, port)
      assert.equal(later.destroyed, false)
      later.destroy()
    }
  })

  test('drain lets exchanges end, closes idle connections, takes no new ones and resolves', async () => {
    const { listener, client, another, port } = await bench.start((inbound) => {
      if (inbound.target === '/slow') setTimeout(() => inbound.reply.send(200, [], 'done'), 200)
      else inbound.reply.send(200, [], '')
    })
    const idle = another()
    await idle.call({}).content()
    const slow = client.call({ path: '/slow' })
    await pause(50)
    const started = performance.now()
    const drained = listener.drain()
    assert.ok((await closedAfter(netConnect(port, '127.0.0.1'))) < 500)
    assert.equal((await slow.content()).toString(), 'done')
    await drained
    assert.ok(performance.now() - started < 1500, 'drain took too long')
    assert.equal(listener.connections, 0)
    await listener.drain()
  })

  test('destroy cuts what is under way', async () => {
    let told = 0
    const { listener, client } = await bench.start((inbound) => {
      inbound.onDisconnect(() => {
        told += 1
      })
    })
    const call = client.call({})
    await pause(80)
    listener.destroy()
    await assert.rejects(call.content())
    await pause(20)
    assert.equal(told, 1)
    assert.equal(listener.connections, 0)
  })

  test('new bounds hold for new connections', async () => {
    const { listener, port } = await bench.start(() => undefined)
    listener.setBounds({ ...contractBounds, headerTimeoutMs: 200 })
    inTime(await closedAfter(await opened(bench, port)), 200)
  })

  tlsGuarantees(bench)
}

function tlsGuarantees(bench: ListenerBench): void {
  if (bench.transport === 'http1-plain') return

  test('a handshake that does not end is cut at the handshake timeout', async () => {
    const { port } = await bench.start(() => undefined, { handshakeTimeoutMs: 300 })
    const socket = netConnect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(Buffer.from([0x16, 0x03, 0x01]))
    inTime(await closedAfter(socket), 300)
  })

  test('TLS 1.3 with the hybrid group is taken; TLS 1.1 is not', async () => {
    const { port } = await bench.start(() => undefined)
    const socket = (await opened(bench, port)) as TLSSocket
    assert.equal(socket.getProtocol(), 'TLSv1.3')
    socket.destroy()
    const old = tlsConnect({
      port,
      host: '127.0.0.1',
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    })
    await assert.rejects(once(old, 'secureConnect'))
    const hybrid = tlsConnect({
      port,
      host: '127.0.0.1',
      ecdhCurve: 'X25519MLKEM768',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    })
    await once(hybrid, 'secureConnect')
    hybrid.destroy()
  })

  test('a new certificate serves new handshakes; connections under way stay', async () => {
    const { port, listener, client, another } = await bench.start((inbound) =>
      inbound.reply.send(200, [], 'ok'),
    )
    await client.call({}).content()
    const before = (await opened(bench, port)) as TLSSocket
    listener.setTls(await bench.makeCertificate())
    const later = (await opened(bench, port)) as TLSSocket
    assert.notEqual(before.getPeerCertificate().fingerprint256, later.getPeerCertificate().fingerprint256)
    assert.throws(() => listener.setTls({ certificate: 'no', privateKey: 'no' }))
    assert.equal((await client.call({}).content()).toString(), 'ok')
    assert.equal((await another().call({}).content()).toString(), 'ok')
    before.destroy()
    later.destroy()
  })
}
