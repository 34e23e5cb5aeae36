/**
 * CPU per call of the upstream client against undici's `dispatch`, to a server in another process.
 * Prints both: µs of this process's CPU per call (user + system) and calls per second.
 *
 *   node bench/micro/upstream-client.ts [calls] [concurrency] [body bytes] [tls]
 */
import { fork } from 'node:child_process'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { createHttp1Client } from '../../src/adapters/http1/client.ts'
import { createEgressGuard } from '../../src/egress/index.ts'
import { makeCertificate } from '../../src/ports/upstream-client.contract-server.ts'
import type { UpstreamHandler } from '../../src/ports/upstream-client.ts'

const [mode, ...figures] = process.argv.slice(2)
const answerBytes = 1024

/** Answers every request head plus announced body with the same 1 KB; as cheap as a server can be. */
function serve(): void {
  const body = 'x'.repeat(answerBytes)
  const answer = Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nx-request-id: req_0123456789\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  const onSocket = (socket: Socket): void => {
    let expected = 0
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      // Each call fills at most a few segments: the first one tells how many bytes the request has.
      if (expected === 0) {
        const length = /content-length: ([0-9]+)/i.exec(bytes.toString('latin1', 0, 2048))
        expected = bytes.indexOf('\r\n\r\n') + 4 + Number(length?.[1] ?? 0)
      }
      expected -= bytes.length
      if (expected <= 0) {
        expected = 0
        socket.write(answer)
      }
    })
  }
  const { certificate, privateKey } = makeCertificate()
  const server = figures.includes('tls')
    ? createTlsServer({ cert: certificate, key: privateKey, noDelay: true }, onSocket)
    : createServer({ noDelay: true }, onSocket)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address !== null) process.send?.({ port: address.port, certificate })
  })
  process.on('disconnect', () => process.exit(0))
}

interface ServerReady {
  readonly port: number
  readonly certificate: string
}

interface Load {
  readonly calls: number
  readonly concurrency: number
}

/** `one(done)` makes one call. */
function run(load: Load, one: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let started = 0
    let ended = 0
    const next = (): void => {
      if (started >= load.calls) return
      started += 1
      one(() => {
        ended += 1
        if (ended === load.calls) resolve()
        else next()
      })
    }
    for (let i = 0; i < load.concurrency; i += 1) next()
  })
}

async function measure(name: string, load: Load, one: (done: () => void) => void): Promise<void> {
  await run({ calls: Math.ceil(load.calls / 5), concurrency: load.concurrency }, one)
  const cpuAt = process.cpuUsage()
  const wallAt = performance.now()
  await run(load, one)
  const cpu = process.cpuUsage(cpuAt)
  const seconds = (performance.now() - wallAt) / 1000
  const perCall = (cpu.user + cpu.system) / load.calls
  process.stdout.write(
    `${name.padEnd(16)} ${perCall.toFixed(1).padStart(7)} µs CPU a call (${(cpu.user / load.calls).toFixed(1)} user) ${Math.round(load.calls / seconds)} calls/s\n`,
  )
}

async function main(): Promise<void> {
  const calls = Number(mode ?? 40_000)
  const concurrency = Number(figures[0] ?? 64)
  const body = Buffer.alloc(Number(figures[1] ?? 1024), 'x')
  const tls = figures.includes('tls')
  const server = fork(fileURLToPath(import.meta.url), tls ? ['serve', 'tls'] : ['serve'])
  const { port, certificate } = await new Promise<ServerReady>((resolve) =>
    server.once('message', (message) => resolve(message as ServerReady)),
  )
  const headers = [
    'content-type',
    'application/json',
    'authorization',
    'Bearer sk-0123456789abcdef',
    'x-request-id',
    'req_1',
  ]
  const origin = {
    protocol: tls ? 'https:' : 'http:',
    host: '127.0.0.1',
    port,
    allowPrivateNetwork: true,
  } as const
  const timeouts = { connectMs: 5000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 60_000 }
  const client = createHttp1Client({ egress: createEgressGuard(), extraCertificates: [certificate] })
  const pool = new Pool(`${origin.protocol}//127.0.0.1:${port}`, {
    connections: concurrency,
    pipelining: 1,
    allowH2: false,
    connect: { ca: certificate },
  })
  const request = { origin, method: 'POST', path: '/v1/chat/completions', headers, body, timeouts }
  const own = (done: () => void): void => {
    const handler: UpstreamHandler = {
      head() {},
      data() {},
      end: done,
      failure: ({ kind, internal }) => {
        throw new Error(`${kind} ${internal}`)
      },
    }
    client.call(request, handler)
  }
  const reference = (done: () => void): void => {
    pool.dispatch(
      { method: 'POST', path: request.path, headers, body },
      {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd: done,
        onResponseError(_controller, error) {
          throw error
        },
      },
    )
  }
  for (let round = 0; round < 3; round += 1) {
    await measure('http1 client', { calls, concurrency }, own)
    await measure('undici dispatch', { calls, concurrency }, reference)
  }
  client.close()
  await pool.close()
  server.disconnect()
}

if (mode === 'serve') serve()
else await main()
