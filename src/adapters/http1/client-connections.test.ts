import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { Worker } from 'node:worker_threads'
import { createEgressGuard } from '../../egress/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { EgressAddress, EgressGuard } from '../../ports/egress.ts'
import { outcomeOf, pass, until } from '../../ports/upstream-client.contract-calls.ts'
import { httpServer, makeCertificate, scriptedServer } from '../../ports/upstream-client.contract-server.ts'
import type { UpstreamClient, UpstreamOrigin } from '../../ports/upstream-client.ts'
import { createHttp1Client, type Http1ClientOptions } from './client.ts'

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const post = { method: 'POST', body: Buffer.from('x') }

function originOf(port: number, host = '127.0.0.1'): UpstreamOrigin {
  return { protocol: 'http:', host, port, allowPrivateNetwork: true }
}

async function withClient(
  options: Partial<Http1ClientOptions>,
  use: (client: UpstreamClient) => Promise<void>,
): Promise<void> {
  const client = createHttp1Client({ egress: createEgressGuard(), tickMs: 10, ...options })
  try {
    await use(client)
  } finally {
    client.close()
  }
}

/** A guard that has checked these addresses for every name. */
function guardOf(...addresses: readonly string[]): EgressGuard {
  const list: readonly EgressAddress[] = addresses.map((address) => ({ address, family: 4 }))
  return { resolve: (_host, _policy, done) => done(null, list) }
}

describe('a reused connection that has died', () => {
  it('is replaced for a safe method, once', async () => {
    await withClient({}, async (client) => {
      await using server = await scriptedServer(null, (socket, request) => {
        if (request === 1) socket.write(answer)
        else socket.destroy()
      })
      for (let i = 0; i < 3; i += 1) {
        assert.equal((await outcomeOf(client, originOf(server.port))).body.toString(), 'ok')
      }
      assert.equal(server.accepted, 3)
    })
  })

  it('is not tried for ever', async () => {
    await withClient({}, async (client) => {
      let requests = 0
      await using server = await scriptedServer(null, (socket) => {
        requests += 1
        if (requests === 1) socket.write(answer)
        else socket.destroy()
      })
      await outcomeOf(client, originOf(server.port))
      const { failure } = await outcomeOf(client, originOf(server.port))
      assert.equal(failure?.kind, 'reset')
      assert.equal(requests, 3)
    })
  })

  it('fails a POST whose bytes may have arrived, and says so', async () => {
    await withClient({}, async (client) => {
      await using server = await scriptedServer(null, (socket, request) => {
        if (request === 1) socket.write(answer)
        else socket.destroy()
      })
      await outcomeOf(client, originOf(server.port), post)
      const { failure } = await outcomeOf(client, originOf(server.port), post)
      assert.equal(failure?.kind, 'reset')
      assert.equal(failure.unsent, false)
      assert.equal(server.accepted, 1)
    })
  })

  it('is not replaced once a byte of the answer was seen', async () => {
    await withClient({}, async (client) => {
      await using server = await scriptedServer(null, (socket, request) => {
        if (request === 1) socket.write(answer)
        else socket.end('H')
      })
      await outcomeOf(client, originOf(server.port))
      const { failure } = await outcomeOf(client, originOf(server.port))
      assert.equal(failure?.kind, 'reset')
      assert.equal(server.accepted, 1)
    })
  })

  it('is replaced even for a POST when the kernel took no byte of it', async () => {
    const signal = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(
      `const { workerData: signal, parentPort } = require('node:worker_threads')
      let accepted = 0, last = null
      const server = require('node:net').createServer((socket) => {
        accepted += 1
        last = socket
        socket.on('error', () => {})
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\n' + accepted))
      })
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
      parentPort.on('message', () => {
        last.resetAndDestroy()
        last.on('close', () => { Atomics.store(signal, 0, 1); Atomics.notify(signal, 0) })
      })`,
      { eval: true, workerData: signal },
    )
    try {
      const port = await new Promise<number>((resolve) => worker.once('message', resolve))
      await withClient({}, async (client) => {
        assert.equal((await outcomeOf(client, originOf(port), post)).body.toString(), '1')
        worker.postMessage('reset')
        // This thread sleeps, so it cannot learn of the reset before it writes.
        assert.notEqual(Atomics.wait(signal, 0, 0, 5000), 'timed-out')
        Atomics.wait(signal, 0, 1, 50)
        const { failure, body } = await outcomeOf(client, originOf(port), post)
        assert.equal(failure, null)
        assert.equal(body.toString(), '2')
      })
    } finally {
      await worker.terminate()
    }
  })

  it('is noticed while idle: bytes that nobody asked for close it', async () => {
    await withClient({}, async (client) => {
      await using server = await scriptedServer(null, (socket) => {
        socket.write(answer)
        setTimeout(() => socket.write(answer.replace('ok', 'no')), 20)
      })
      await outcomeOf(client, originOf(server.port))
      await until(() => server.open === 0, 'the connection is closed')
      assert.equal((await outcomeOf(client, originOf(server.port))).body.toString(), 'ok')
    })
  })
})

describe('the pool', () => {
  it('serves equal origins of different snapshots from one place', async () => {
    await withClient({}, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      for (let i = 0; i < 3; i += 1) await outcomeOf(client, originOf(server.port))
      assert.equal(server.accepted, 1)
    })
  })

  it('keeps origins with different egress policies apart', async () => {
    await withClient({ egress: guardOf('127.0.0.1') }, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      await outcomeOf(client, originOf(server.port))
      await outcomeOf(client, { ...originOf(server.port), allowPrivateNetwork: false })
      assert.equal(server.accepted, 2)
    })
  })

  it('hands out no connection that has waited longer than it may, and closes it', async () => {
    let at = 0
    const clock: Clock = { now: () => at, monotonic: () => at }
    await withClient({ clock, bounds: { idleMs: 1000 } }, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      await outcomeOf(client, originOf(server.port))
      at += 999
      await outcomeOf(client, originOf(server.port))
      assert.equal(server.accepted, 1)
      at += 1001
      await outcomeOf(client, originOf(server.port))
      assert.equal(server.accepted, 2)
      at += 1001
      await until(() => server.open === 0, 'the sweep closes what is too old')
    })
  })

  it('replaces a connection that has reached its age', async () => {
    let at = 0
    const clock: Clock = { now: () => at, monotonic: () => at }
    await withClient({ clock, bounds: { lifeMs: 1000 } }, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      for (const [time, accepted] of [
        [0, 1],
        [999, 1],
        [1000, 1],
        [1001, 2],
      ] as const) {
        at = time
        await outcomeOf(client, originOf(server.port))
        assert.equal(server.accepted, accepted, `at ${time} ms`)
      }
    })
  })

  it('keeps a bounded number of idle connections', async () => {
    for (const bounds of [{ idlePerOrigin: 2 }, { idleTotal: 2 }]) {
      await withClient({ bounds }, async (client) => {
        await using server = await httpServer(null, (_req, res) => setTimeout(() => res.end('ok'), 20))
        await Promise.all([1, 2, 3, 4, 5].map(() => outcomeOf(client, originOf(server.port))))
        await until(() => server.open === 2, 'all but two are closed')
      })
    }
  })

  it('refuses calls beyond the bound on connections, and counts down again', async () => {
    await withClient({ bounds: { connections: 2, idlePerOrigin: 0 } }, async (client) => {
      await using server = await httpServer(null, (_req, res) => setTimeout(() => res.end('ok'), 30))
      for (let round = 0; round < 3; round += 1) {
        const outcomes = await Promise.all(
          [1, 2, 3].map(() => outcomeOf(client, originOf(server.port), post)),
        )
        const refused = outcomes.filter(({ failure }) => failure !== null)
        assert.equal(refused.length, 1)
        assert.equal(refused[0]?.failure?.kind, 'connect')
        assert.equal(refused[0]?.failure?.unsent, true)
      }
      await Promise.all([1, 2].map(() => outcomeOf(client, { ...originOf(server.port), port: 1 })))
      assert.equal((await outcomeOf(client, originOf(server.port))).failure, null)
    })
  })
})

describe('connecting', () => {
  it('goes to the checked address, whatever the name is, and names the host in the request', async () => {
    await withClient({ egress: guardOf('127.0.0.1') }, async (client) => {
      await using server = await httpServer(null, (req, res) => res.end(req.headers.host))
      const { body } = await outcomeOf(client, originOf(server.port, 'model.invalid'))
      assert.equal(body.toString(), `model.invalid:${server.port}`)
    })
  })

  it('takes the next address when one refuses', async () => {
    await withClient({ egress: guardOf('127.0.0.2', '127.0.0.3', '127.0.0.1') }, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      const { body, durationMs } = await outcomeOf(client, originOf(server.port, 'model.invalid'))
      assert.equal(body.toString(), 'ok')
      assert.ok(durationMs < 200, `${durationMs} ms`)
    })
  })

  it('tries the next address beside one that does not answer', async () => {
    // TEST-NET-1 (RFC 5737): silence or an error from the nearest router, never a host.
    await withClient({ egress: guardOf('192.0.2.1', '127.0.0.1') }, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      const { body, durationMs } = await outcomeOf(client, originOf(server.port, 'model.invalid'))
      assert.equal(body.toString(), 'ok')
      assert.ok(durationMs < 1500, `${durationMs} ms`)
    })
  })

  it('fails with connect-timeout, unsent, when resolution does not end', async () => {
    await withClient({ egress: { resolve: () => undefined } }, async (client) => {
      const { failure } = await outcomeOf(client, originOf(9, 'model.invalid'), {
        timeouts: { connectMs: 50 },
      })
      assert.equal(failure?.kind, 'connect-timeout')
      assert.equal(failure.unsent, true)
    })
  })

  it('ignores a resolution that comes after an abort', async () => {
    const late: { go: (() => void) | null } = { go: null }
    const egress: EgressGuard = {
      resolve: (_host, _policy, done) => {
        late.go = () => done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    }
    await withClient({ egress }, async (client) => {
      await using server = await httpServer(null, (_req, res) => res.end('ok'))
      void outcomeOf(client, originOf(server.port), { onCall: (call) => call.abort() })
      late.go?.()
      await pass(50)
      assert.equal(server.accepted, 0)
    })
  })

  it('resumes TLS sessions', async () => {
    const { certificate, privateKey } = makeCertificate()
    const reused: boolean[] = []
    const server = createServer({ cert: certificate, key: privateKey }, (socket: TLSSocket) => {
      reused.push(socket.isSessionReused())
      socket.on('error', () => undefined)
      socket.on('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    try {
      await withClient({ extraCertificates: [certificate] }, async (client) => {
        for (let i = 0; i < 3; i += 1) {
          const { body } = await outcomeOf(client, { ...originOf(address.port), protocol: 'https:' })
          assert.equal(body.toString(), 'ok')
        }
      })
      assert.deepEqual(reused, [false, true, true])
    } finally {
      server.close()
    }
  })
})
