import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createEgressGuard } from '../../egress/index.ts'
import { outcomeOf } from '../../ports/upstream-client.contract-calls.ts'
import { scriptedServer } from '../../ports/upstream-client.contract-server.ts'
import { createHttp1Client } from './client.ts'

/** Pieces of responses, good and bad, from which heads and bodies are put together. */
const piece = fc.constantFrom(
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.0 200 OK\r\n',
  'HTTP/1.1 204 No Content\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'X-A: b\r\n',
  ' folded\r\n',
  '\r\n',
  '\n',
  'hello',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  '5;x\r\nhello\r\n',
  'ffffffff\r\n',
  '\0',
  '\u00e9',
)
const response = fc
  .tuple(fc.constantFrom('HTTP/1.1 200 OK\r\n', ''), fc.array(piece, { maxLength: 8 }))
  .map(([start, pieces]) => start + pieces.join(''))

describe('the response parser', () => {
  it('reads the same from the same bytes, however the network cuts them', async () => {
    const client = createHttp1Client({ egress: createEgressGuard(), tickMs: 10 })
    const current: { bytes: Buffer; cuts: readonly number[] } = { bytes: Buffer.alloc(0), cuts: [] }
    await using server = await scriptedServer(null, (socket) => {
      const { bytes, cuts } = current
      const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
        (a, b) => a - b,
      )
      socket.setNoDelay(true)
      const next = (at: number): void => {
        const from = edges[at]
        const to = edges[at + 1]
        if (from === undefined || to === undefined) socket.end()
        else socket.write(bytes.subarray(from, to), () => setImmediate(() => next(at + 1)))
      }
      next(0)
    })
    const origin = {
      protocol: 'http:',
      host: '127.0.0.1',
      port: server.port,
      allowPrivateNetwork: true,
    } as const
    const read = async (bytes: Buffer, cuts: readonly number[]): Promise<unknown> => {
      current.bytes = bytes
      current.cuts = cuts
      const { status, headers, body, failure } = await outcomeOf(client, origin, {
        headers: ['connection-cut', 'x'],
        method: 'POST',
        timeouts: { totalMs: 2000 },
      })
      if (failure === null) return { status, headers, body: body.toString('latin1') }
      return failure.kind
    }
    await fc.assert(
      fc.asyncProperty(response, fc.array(fc.nat(200), { maxLength: 6 }), async (text, cuts) => {
        const bytes = Buffer.from(text, 'latin1')
        const whole = await read(bytes, [])
        assert.deepEqual(await read(bytes, cuts), whole)
        assert.notEqual(whole, 'total-timeout')
      }),
      { numRuns: 300, interruptAfterTimeLimit: 20_000 },
    )
    client.close()
  })
})
