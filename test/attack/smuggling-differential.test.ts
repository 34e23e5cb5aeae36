/**
 * The listener against Node's own HTTP parser: whatever bytes the listener takes for requests, Node must take for
 * the same requests. Where the listener refuses there is nothing to compare. Streams are well-formed requests with
 * random damage, from a fixed seed; the bound on the run is 400 streams.
 */
import assert from 'node:assert/strict'
import { createServer, METHODS } from 'node:http'
import { after, before, test } from 'node:test'
import { type HttpListener, openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import { openSocket } from './raw-socket.ts'

const streams = 400
const atOnce = 50
/** What both servers saw, by the stream's number, which travels in the bytes as `/s<number><number>-`. */
type Seen = Map<string, string[]>

const parts = [
  'GET /s@@-a HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /s@@-b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
  'POST /s@@-c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\n\r\n',
  'POST /s@@-d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nGE\r\n0\r\nT: r\r\n\r\n',
  'PUT /s@@-e?q=1 HTTP/1.1\r\nHost: x\r\nX-A: b\r\nContent-Length: 0\r\n\r\n',
]
const damage = [
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '1',
  '+',
  'chunked',
  '\x0b',
  '\xa0',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  '\r\n\r\n',
]

/** Small deterministic generator (mulberry32), so that a failure can be run again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function makeStream(number: number): string {
  const random = createRandom(number)
  let text = ''
  for (let count = 1 + random(3); count > 0; count -= 1) text += parts[random(parts.length)] ?? ''
  for (let count = random(4); count > 0; count -= 1) {
    const at = random(text.length)
    const kind = random(3)
    const inserted = kind === 0 ? '' : (damage[random(damage.length)] ?? '')
    text = text.slice(0, at) + inserted + text.slice(at + (kind === 1 ? 0 : 1))
  }
  return text.replaceAll('@', String(number).padStart(4, '0'))
}

function note(seen: Seen, line: { readonly method: string; readonly target: string }, body: string): void {
  const { method, target } = line
  // A damaged number would count for another stream, so it travels twice and such requests are left out.
  const number = /^\/s(\d{4})\1-/.exec(target)?.[1]
  if (number === undefined) return
  const list = seen.get(number) ?? []
  list.push(`${method} ${target} ${JSON.stringify(body)}`)
  seen.set(number, list)
}

const ours: Seen = new Map()
const theirs: Seen = new Map()
const reference = createServer({ insecureHTTPParser: false }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    note(
      theirs,
      { method: request.method ?? '', target: request.url ?? '' },
      Buffer.concat(chunks).toString('latin1'),
    )
    response.end()
  })
})
let listener: HttpListener | null = null
let referencePort = 0

before(async () => {
  listener = await openHttpListener(
    { host: '127.0.0.1', port: 0, reusePort: false, bounds: contractBounds },
    (inbound) => {
      // Any token is a method to us (RFC 9110 §9.1), and the pipeline answers 405; Node knows a list.
      if (!METHODS.includes(inbound.method)) {
        inbound.reply.destroy()
        return
      }
      inbound.readBody(1000, (failure, body) => {
        if (failure === null) note(ours, inbound, body.toString('latin1'))
        inbound.reply.send(200, [], '')
      })
    },
  )
  await new Promise<void>((resolve) => reference.listen(0, '127.0.0.1', resolve))
  const address = reference.address()
  referencePort = typeof address === 'object' && address !== null ? address.port : 0
})
after(() => {
  listener?.destroy()
  reference.close()
  reference.closeAllConnections()
})

/** Send all, wait until the server has had time to answer what it takes, and leave. */
async function send(port: number, text: string): Promise<void> {
  const socket = await openSocket(port)
  socket.resume()
  socket.write(Buffer.from(text, 'latin1'))
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 300)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  socket.destroy()
}

test('what the listener takes for requests, Node takes for the same requests', async () => {
  const texts = Array.from({ length: streams }, (_, number) => makeStream(number + 1))
  for (let from = 0; from < streams; from += atOnce) {
    const batch = texts.slice(from, from + atOnce)
    const port = listener?.address.port ?? 0
    await Promise.all(batch.flatMap((text) => [send(port, text), send(referencePort, text)]))
  }
  let compared = 0
  for (const [number, list] of ours) {
    const expected = theirs.get(number) ?? []
    // Ours may refuse earlier; what it served must be how Node's list begins.
    const text = texts[Number(number) - 1] ?? ''
    // Trailers are dropped here, framing fields among them; Node refuses those (RFC 9110 §6.5.1 allows both).
    if (/\r\n0\r\n(?:[^\r]+\r\n)*(?:Content-Length|Transfer-Encoding):/.test(text)) continue
    assert.deepEqual(list, expected.slice(0, list.length), JSON.stringify(text))
    compared += list.length
  }
  assert.ok(compared > streams / 2, `only ${compared} requests compared`)
})
