/** Contract of `UpstreamClient`: malformed and broken responses, deadlines, abort. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe } from 'node:test'
import { countingHandler, outcomeOf, pass, requestOf, until } from './upstream-client.contract-calls.ts'
import type { ContractContext } from './upstream-client.contract-context.ts'
import { httpServer, scriptedServer } from './upstream-client.contract-server.ts'
import type { UpstreamFailureKind } from './upstream-client.ts'

const ok = 'HTTP/1.1 200 OK\r\n'

/** Each is refused as `protocol`, and its connection is closed. */
const malformed: readonly (readonly [string, string])[] = [
  ['not HTTP', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
  ['HTTP/0.9 text', '<html>hello</html>\r\n\r\n'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['lower-case version', 'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['two-digit status', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['status 099', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['unrequested upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['bare CR in a value', `${ok}X-A: b\rc\r\nContent-Length: 0\r\n\r\n`],
  ['NUL in a value', `${ok}X-A: b\0c\r\nContent-Length: 0\r\n\r\n`],
  ['folded line', `${ok}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n`],
  ['space before the colon', `${ok}Content-Length : 5\r\n\r\nhello`],
  ['empty header name', `${ok}: x\r\nContent-Length: 0\r\n\r\n`],
  ['line without colon', `${ok}nonsense\r\nContent-Length: 0\r\n\r\n`],
  [
    'Content-Length and Transfer-Encoding',
    `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'Transfer-Encoding and Content-Length',
    `${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  ],
  ['different Content-Lengths', `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
  ['repeated Content-Length', `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
  ['list of Content-Lengths', `${ok}Content-Length: 5, 5\r\n\r\nhello`],
  ['negative Content-Length', `${ok}Content-Length: -5\r\n\r\nhello`],
  ['signed Content-Length', `${ok}Content-Length: +5\r\n\r\nhello`],
  ['hexadecimal Content-Length', `${ok}Content-Length: 0x5\r\n\r\nhello`],
  ['empty Content-Length', `${ok}Content-Length:\r\n\r\nhello`],
  ['enormous Content-Length', `${ok}Content-Length: 99999999999999999999\r\n\r\nhello`],
  ['unknown transfer coding', `${ok}Transfer-Encoding: gzip\r\n\r\nhello`],
  ['stacked transfer codings', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['chunked twice', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['chunk size not hexadecimal', `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
  ['chunk size with a prefix', `${ok}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`],
  ['chunk size with a sign', `${ok}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n`],
  ['chunk size beyond 32 bits', `${ok}Transfer-Encoding: chunked\r\n\r\nfffffffff\r\nhello`],
  ['chunk without CRLF after it', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n`],
  ['chunk line ended by LF', `${ok}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`],
  ['204 with a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'],
  ['204 chunked', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['head of 2 MB', `${ok}X-A: ${'a'.repeat(2_000_000)}\r\n\r\n`],
  ['too many headers', `${ok}${'X-A: b\r\n'.repeat(5000)}\r\n`],
  ['endless interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)],
]

const broken: readonly (readonly [string, string, 'end' | 'reset'])[] = [
  ['before any byte', '', 'end'],
  ['within the head', 'HTTP/1.1 200 OK\r\nContent-Le', 'end'],
  ['within a Content-Length body', `${ok}Content-Length: 10\r\n\r\nhello`, 'end'],
  ['within a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\na\r\nhello`, 'end'],
  ['before the last chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'end'],
  ['by a reset within the body', `${ok}Content-Length: 10\r\n\r\nhello`, 'reset'],
]

export function failureGuarantees(context: ContractContext): void {
  describe('malformed responses fail with protocol and close the connection', () => {
    for (const [name, bytes] of malformed) {
      context.guarantee(name, () => refuses(context, bytes))
    }
  })
  describe('broken responses fail with reset', () => {
    for (const [name, bytes, how] of broken) context.guarantee(name, () => reportsReset(context, bytes, how))
  })
  describe('connecting', () => {
    connecting(context)
  })
  describe('deadlines', () => {
    deadlines(context)
  })
  describe('abort', () => {
    aborting(context)
  })
}

async function refuses(context: ContractContext, bytes: string): Promise<void> {
  await using server = await scriptedServer(context.certificate, (socket) => socket.write(bytes, 'latin1'))
  const { failure } = await outcomeOf(context.client, context.origin(server.port), {
    timeouts: { totalMs: 3000 },
  })
  assert.equal(failure?.kind, 'protocol', failure?.internal)
  assert.equal(failure.unsent, false)
  await until(() => server.open === 0, 'the connection is closed')
}

async function reportsReset(context: ContractContext, bytes: string, how: 'end' | 'reset'): Promise<void> {
  await using server = await scriptedServer(context.certificate, (socket: Socket) => {
    if (how === 'end') socket.end(bytes)
    else socket.write(bytes, () => setTimeout(() => cut(socket), 20))
  })
  const { failure } = await outcomeOf(context.client, context.origin(server.port), {
    method: 'POST',
    body: Buffer.from('x'),
  })
  assert.equal(failure?.kind, 'reset', failure?.internal)
  assert.equal(failure.unsent, false)
  assert.equal(server.accepted, 1, 'a request that may have acted is not repeated')
}

/** As rudely as the socket allows: under TLS the connection ends without its closing message. */
function cut(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}

function connecting(context: ContractContext): void {
  context.guarantee('fails with connect, unsent, where nobody listens', async () => {
    const server = await scriptedServer(context.certificate, () => undefined)
    const origin = context.origin(server.port)
    await server[Symbol.asyncDispose]()
    const { failure, isSent } = await outcomeOf(context.client, origin)
    assert.equal(failure?.kind, 'connect')
    assert.deepEqual([failure.unsent, isSent], [true, false])
  })

  context.guarantee(
    'fails with egress-denied, unsent, without a connection, where the policy forbids the address',
    async () => {
      await using server = await scriptedServer(context.certificate, () => undefined)
      const origin = { ...context.origin(server.port), allowPrivateNetwork: false }
      const { failure } = await outcomeOf(context.client, origin)
      assert.equal(failure?.kind, 'egress-denied')
      assert.equal(failure.unsent, true)
      assert.equal(server.accepted, 0)
    },
  )

  if (!context.subject.tls) return

  context.guarantee('accepts a certificate for the name in the origin', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    const { body } = await outcomeOf(context.client, { ...context.origin(server.port), host: 'localhost' })
    assert.equal(body.toString(), 'hello')
  })

  context.guarantee('fails with tls, unsent, where the certificate is for another name', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    const origin = { ...context.origin(server.port), host: 'other.localhost' }
    const { failure } = await outcomeOf(context.client, origin)
    assert.equal(failure?.kind, 'tls')
    assert.equal(failure.unsent, true)
  })

  context.guarantee('fails with connect-timeout when the handshake does not come about', async () => {
    await using server = await scriptedServer(null, () => undefined)
    const { failure, durationMs } = await outcomeOf(context.client, context.origin(server.port), {
      timeouts: { connectMs: 150 },
    })
    assert.equal(failure?.kind, 'connect-timeout')
    assert.equal(failure.unsent, true)
    assert.ok(durationMs >= 145 && durationMs < 1500, `${durationMs} ms`)
  })
}

function deadlines(context: ContractContext): void {
  const cases: readonly (readonly [UpstreamFailureKind, string, object])[] = [
    ['first-byte-timeout', '', { firstByteMs: 150 }],
    ['first-byte-timeout', 'HTTP/1.1 100 Continue\r\n\r\n', { firstByteMs: 150 }],
    ['first-byte-timeout', 'HTTP/1.1 200 OK\r\nX', { firstByteMs: 150 }],
    ['idle-timeout', `${ok}Content-Length: 5\r\n\r\n`, { idleMs: 150 }],
    ['idle-timeout', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, { idleMs: 150 }],
    ['total-timeout', '', { totalMs: 150 }],
    ['total-timeout', `${ok}Content-Length: 5\r\n\r\nhel`, { totalMs: 150 }],
  ]
  for (const [kind, bytes, timeouts] of cases) {
    context.guarantee(`fails with ${kind} at its figure after ${JSON.stringify(bytes)}`, async () => {
      await using server = await scriptedServer(context.certificate, (socket) => socket.write(bytes))
      const { failure, isSent, durationMs } = await outcomeOf(context.client, context.origin(server.port), {
        timeouts,
      })
      assert.equal(failure?.kind, kind, failure?.internal)
      assert.deepEqual([failure.unsent, isSent], [false, true])
      assert.ok(durationMs >= 145 && durationMs < 1500, `${durationMs} ms`)
      await until(() => server.open === 0, 'the connection is closed')
    })
  }

  context.guarantee(
    'lets a response drip for as long as its silences stay below the idle figure',
    async () => {
      await using server = await httpServer(context.certificate, (_req, res) => {
        let left = 8
        const timer = setInterval(() => {
          left -= 1
          if (left > 0) res.write('x')
          else {
            clearInterval(timer)
            res.end()
          }
        }, 60)
      })
      const { failure, body } = await outcomeOf(context.client, context.origin(server.port), {
        timeouts: { idleMs: 300, firstByteMs: 300 },
      })
      assert.equal(failure, null)
      assert.equal(body.toString(), 'xxxxxxx')
    },
  )

  context.guarantee('starts the first-byte deadline with the last byte of the request', async () => {
    await using server = await httpServer(context.certificate, (req, res) => {
      req.on('data', () => undefined)
      req.on('end', () => res.end('done'))
    })
    let given = 0
    const { failure } = await outcomeOf(context.client, context.origin(server.port), {
      method: 'POST',
      timeouts: { firstByteMs: 150, idleMs: 150 },
      body: {
        length: undefined,
        start(sink) {
          const timer = setInterval(() => {
            given += 1
            if (given < 8) sink.data(Buffer.from('x'))
            else {
              clearInterval(timer)
              sink.end()
            }
          }, 60)
        },
        pause() {},
        resume() {},
      },
    })
    assert.equal(failure, null)
  })
}

function aborting(context: ContractContext): void {
  context.guarantee('closes the connection at once and is silent from then on, at every stage', async () => {
    let answered = 0
    await using server = await httpServer(context.certificate, (_req, res) => {
      answered += 1
      res.write('x')
      const timer = setInterval(() => res.write('x'), 5)
      res.on('close', () => clearInterval(timer))
    })
    for (const delayMs of [0, 1, 3, 10, 40]) {
      const handler = countingHandler()
      const call = context.client.call(requestOf(context.origin(server.port), {}), handler)
      if (delayMs > 0) await pass(delayMs)
      call.abort()
      const { calls } = handler
      await until(() => server.open === 0, 'the connection is closed')
      await pass(20)
      assert.equal(handler.calls, calls, `silence after an abort at ${delayMs} ms`)
      call.abort()
    }
    assert.ok(answered > 0)
  })

  context.guarantee('tells whether the request was sent before', async () => {
    let received = 0
    await using server = await httpServer(context.certificate, (req) => {
      req.resume().on('end', () => {
        received += 1
      })
    })
    const request = requestOf(context.origin(server.port), { method: 'POST', body: Buffer.from('hello') })
    const early = context.client.call(request, countingHandler())
    early.abort()
    assert.equal(early.isSent, false)
    const late = context.client.call(request, countingHandler())
    await until(() => received === 1, 'the request is there')
    late.abort()
    assert.equal(late.isSent, true)
  })

  for (const at of ['head', 'data'] as const) {
    context.guarantee(`may come from within ${at}`, async () => {
      await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
      const heard: string[] = []
      let aborted = false
      const call = context.client.call(requestOf(context.origin(server.port), {}), {
        head: () => step('head'),
        data: () => step('data'),
        end: () => step('end'),
        failure: () => step('failure'),
      })
      function step(event: string): void {
        heard.push(event)
        if (event !== at) return
        aborted = true
        call.abort()
      }
      await until(() => aborted, 'the abort')
      await until(() => server.open === 0, 'the connection is closed')
      assert.equal(heard.at(-1), at)
    })
  }

  context.guarantee('is harmless after the end, and leaves the connection to its next user', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    const origin = context.origin(server.port)
    const calls: { abort(): void; pause(): void; resume(): void }[] = []
    await outcomeOf(context.client, origin, { onCall: (call) => calls.push(call) })
    const second = outcomeOf(context.client, origin)
    for (const call of calls) {
      call.pause()
      call.resume()
      call.abort()
    }
    assert.equal((await second).body.toString(), 'hello')
    assert.equal(server.accepted, 1)
  })
}
