/** Contract of `UpstreamClient`: bodies both ways, back-pressure, early answers. */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe } from 'node:test'
import {
  countingHandler,
  outcomeOf,
  pass,
  pushedBody,
  repeatedBody,
  requestOf,
  until,
} from './upstream-client.contract-calls.ts'
import type { ContractContext } from './upstream-client.contract-context.ts'
import { httpServer } from './upstream-client.contract-server.ts'
import type { UpstreamRequest } from './upstream-client.ts'

const megabyte = 1_048_576
const bigBytes = 50 * megabyte
/** Kernel buffers on both sides of a loopback connection grow to a few megabytes; beyond that a client buffers. */
const boundedBytes = 16 * megabyte
const piece = Buffer.alloc(65_536, 'x')

export function bodyGuarantees(context: ContractContext): void {
  describe('bodies', () => {
    uploads(context)
    downloads(context)
    slowUpstream(context)
    sourcesThatFail(context)
    earlyAnswers(context)
  })
}

/** Answers with the number of body bytes and how they were framed. */
function countBody(req: IncomingMessage, res: ServerResponse): void {
  let bytes = 0
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  req.on('end', () => {
    const framing = req.headers['transfer-encoding'] ?? `length ${req.headers['content-length']}`
    res.end(`${bytes} ${framing}`)
  })
}

function uploads(context: ContractContext): void {
  const bodies: readonly (readonly [string, () => UpstreamRequest['body'], string])[] = [
    ['no body', () => null, '0 length 0'],
    ['an empty buffer', () => Buffer.alloc(0), '0 length 0'],
    ['20 KB at once', () => Buffer.alloc(20_000), '20000 length 20000'],
    ['300 KB at once', () => Buffer.alloc(300_000), '300000 length 300000'],
    ['50 MB at once', () => Buffer.alloc(bigBytes), `${bigBytes} length ${bigBytes}`],
    ['50 MB streamed, announced', () => repeatedBody(piece, 800, true), `${bigBytes} length ${bigBytes}`],
    ['50 MB streamed, chunked', () => repeatedBody(piece, 800, false), `${bigBytes} chunked`],
  ]
  for (const [name, body, answer] of bodies) {
    context.guarantee(`sends ${name}`, async () => {
      await using server = await httpServer(context.certificate, countBody)
      const origin = context.origin(server.port)
      const outcome = await outcomeOf(context.client, origin, { method: 'POST', body: body() })
      assert.equal(outcome.failure, null)
      assert.equal(outcome.body.toString(), answer)
      await outcomeOf(context.client, origin)
      assert.equal(server.accepted, 1)
    })
  }

  context.guarantee('sends a streamed body as it comes', async () => {
    const seen: string[] = []
    await using server = await httpServer(context.certificate, (req, res) => {
      req.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
      req.on('end', () => res.end('done'))
    })
    const body = pushedBody(undefined)
    const outcome = outcomeOf(context.client, context.origin(server.port), { method: 'POST', body })
    await until(() => body.sink !== null, 'the body is asked for')
    body.sink?.data(Buffer.from('one'))
    await until(() => seen.join() === 'one', 'the first piece arrives')
    body.sink?.data(Buffer.from('two'))
    await until(() => seen.join() === 'one,two', 'the second piece arrives')
    body.sink?.end()
    assert.equal((await outcome).body.toString(), 'done')
  })
}

function downloads(context: ContractContext): void {
  context.guarantee('receives 50 MB', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end(Buffer.alloc(bigBytes)))
    const outcome = await outcomeOf(context.client, context.origin(server.port))
    assert.equal(outcome.failure, null)
    assert.equal(outcome.body.length, bigBytes)
  })

  context.guarantee(
    'stops reading while paused, with bounded buffers, and then delivers every byte',
    async () => {
      let written = 0
      await using server = await httpServer(context.certificate, (_req, res) => {
        const pump = (): void => {
          while (written < bigBytes) {
            written += piece.length
            if (!res.write(piece)) {
              res.once('drain', pump)
              return
            }
          }
          res.end()
        }
        pump()
      })
      const handler = countingHandler()
      const timeouts = { idleMs: 150 }
      const call = context.client.call(requestOf(context.origin(server.port), { timeouts }), handler)
      await until(() => handler.bytes > 0, 'data arrives')
      call.pause()
      await pass(50)
      const { bytes } = handler
      await pass(350)
      assert.equal(handler.bytes, bytes, 'nothing is delivered while paused')
      assert.equal(handler.ended, false, 'no idle timeout while paused')
      assert.ok(written < bytes + boundedBytes, `${written} bytes were taken from the server`)
      call.resume()
      await until(() => handler.ended, 'the end')
      assert.equal(handler.bytes, bigBytes)
    },
  )

  context.guarantee('may be paused from within each piece', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end(Buffer.alloc(megabyte)))
    const outcome = await outcomeOf(context.client, context.origin(server.port), {
      onEvent(event, call) {
        if (event !== 'data') return
        call.pause()
        setImmediate(() => call.resume())
      },
    })
    assert.equal(outcome.failure, null)
    assert.equal(outcome.body.length, megabyte)
  })

  context.guarantee('reuses a connection whose last call ended while paused', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    const origin = context.origin(server.port)
    await outcomeOf(context.client, origin, { onEvent: (event, call) => event === 'data' && call.pause() })
    assert.equal((await outcomeOf(context.client, origin)).body.toString(), 'hello')
  })
}

function slowUpstream(context: ContractContext): void {
  context.guarantee('pauses the source of the body while the upstream does not read', async () => {
    const reading: { req: IncomingMessage | null } = { req: null }
    await using server = await httpServer(context.certificate, (req, res) => {
      reading.req = req
      req.pause()
      req.on('end', () => res.end('done'))
    })
    const body = repeatedBody(piece, 800, true)
    const outcome = outcomeOf(context.client, context.origin(server.port), { method: 'POST', body })
    await until(() => body.pauses > 0 && reading.req !== null, 'the source is paused')
    reading.req?.resume()
    assert.equal((await outcome).body.toString(), 'done')
  })

  context.guarantee('fails with idle-timeout when the upstream stops reading the body', async () => {
    await using server = await httpServer(context.certificate, (req) => req.pause())
    const { failure, isSent } = await outcomeOf(context.client, context.origin(server.port), {
      method: 'POST',
      body: repeatedBody(piece, 800, true),
      timeouts: { idleMs: 150 },
    })
    assert.equal(failure?.kind, 'idle-timeout')
    assert.deepEqual([failure.unsent, isSent], [false, false])
  })
}

function sourcesThatFail(context: ContractContext): void {
  const cases: readonly (readonly [
    string,
    number | undefined,
    (body: ReturnType<typeof pushedBody>) => void,
  ])[] = [
    ['breaks off', undefined, (body) => body.sink?.failure()],
    ['is shorter than announced', 10, (body) => body.sink?.end()],
    ['is longer than announced', 3, (body) => body.sink?.data(Buffer.from('long'))],
  ]
  for (const [name, length, act] of cases) {
    context.guarantee(
      `fails with body-source, and closes the connection, when the body ${name}`,
      async () => {
        let complete = false
        await using server = await httpServer(context.certificate, (req) => {
          req.on('data', () => undefined)
          req.on('end', () => {
            complete = true
          })
        })
        const body = pushedBody(length)
        const outcome = outcomeOf(context.client, context.origin(server.port), { method: 'POST', body })
        await until(() => body.sink !== null, 'the body is asked for')
        body.sink?.data(Buffer.from('x'))
        act(body)
        assert.equal((await outcome).failure?.kind, 'body-source')
        await until(() => server.open === 0, 'the connection is closed')
        assert.equal(complete, false, 'the upstream never takes the body for complete')
      },
    )
  }
}

function earlyAnswers(context: ContractContext): void {
  for (const status of [200, 413]) {
    context.guarantee(
      `delivers a ${status} that comes before the body was sent, and drops the connection`,
      async () => {
        await using server = await httpServer(context.certificate, (_req, res) => {
          res.writeHead(status, { 'content-length': 5 }).end('early')
        })
        const body = pushedBody(undefined)
        const outcome = await outcomeOf(context.client, context.origin(server.port), { method: 'POST', body })
        assert.equal(outcome.failure, null)
        assert.equal(outcome.status, status)
        assert.equal(outcome.body.toString(), 'early')
        body.sink?.data(Buffer.from('late'))
        body.sink?.end()
        await until(() => server.open === 0, 'the connection is closed')
      },
    )
  }
}
