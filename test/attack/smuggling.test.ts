/**
 * Request smuggling and splitting against the data plane's listener: every message that two parsers could read
 * differently is refused, the connection is closed, and nothing that follows is taken for a request.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openHttpListener } from '../../src/adapters/http1/server.ts'
import { contractBounds } from '../../src/ports/listener.contract-bench.ts'
import type { Listener } from '../../src/ports/listener.ts'
import { exchangeRaw } from './raw-socket.ts'

interface Attack {
  readonly name: string
  readonly bytes: string
  readonly status: 400 | 413 | 431 | 501 | 505
  /** Requests that a handler may see before the refusal. */
  readonly served?: readonly string[]
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const post = 'POST /first HTTP/1.1\r\nHost: x\r\n'
const get = 'GET /first HTTP/1.1\r\nHost: x\r\n'
const good = 'GET /good HTTP/1.1\r\nHost: x\r\n\r\n'

function codingAttack(name: string, field: string, status: 400 | 501 = 400): Attack {
  return { name: `TE.TE: ${name}`, bytes: `${post}${field}\r\n\r\n0\r\n\r\n${smuggled}`, status }
}

const attacks: readonly Attack[] = [
  {
    name: 'CL.TE',
    bytes: `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    status: 400,
  },
  {
    name: 'TE.CL',
    bytes: `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'CL.0 with two lengths',
    bytes: `${post}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    status: 400,
  },
  {
    name: 'equal lengths twice',
    bytes: `${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${smuggled}`,
    status: 400,
  },
  { name: 'length list', bytes: `${post}Content-Length: 0, 35\r\n\r\n${smuggled}`, status: 400 },
  { name: 'length with plus', bytes: `${post}Content-Length: +0\r\n\r\n${smuggled}`, status: 400 },
  { name: 'length in hexadecimal', bytes: `${post}Content-Length: 0x23\r\n\r\n${smuggled}`, status: 400 },
  { name: 'length with inner space', bytes: `${post}Content-Length: 3 5\r\n\r\n${smuggled}`, status: 400 },
  { name: 'length with underscore', bytes: `${post}Content-Length: 3_5\r\n\r\n${smuggled}`, status: 400 },
  { name: 'length in other digits', bytes: `${post}Content-Length: \xb2\r\n\r\n${smuggled}`, status: 400 },
  { name: 'space before the colon', bytes: `${post}Content-Length : 35\r\n\r\n${smuggled}`, status: 400 },
  {
    name: 'tab before the colon',
    bytes: `${post}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  codingAttack('two fields', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
  codingAttack('two equal fields', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  codingAttack('unknown prefix', 'Transfer-Encoding: xchunked', 501),
  codingAttack('list', 'Transfer-Encoding: identity, chunked', 501),
  codingAttack('chunked twice in a list', 'Transfer-Encoding: chunked, chunked', 501),
  codingAttack('quotes', 'Transfer-Encoding: "chunked"', 501),
  codingAttack('upper case', 'Transfer-Encoding: CHUNKED', 501),
  codingAttack('parameter', 'Transfer-Encoding: chunked;a=b', 501),
  codingAttack('vertical tab', 'Transfer-Encoding:\x0bchunked'),
  codingAttack('trailing NUL', 'Transfer-Encoding: chunked\0'),
  codingAttack('trailing form feed', 'Transfer-Encoding: chunked\x0c'),
  codingAttack('fold', 'Transfer-Encoding:\r\n chunked'),
  codingAttack('fold after the value', 'Transfer-Encoding: chunked\r\n\t'),
  codingAttack('leading space in the name', 'A: b\r\n Transfer-Encoding: chunked'),
  codingAttack('bare CR before the name', 'A: b\rTransfer-Encoding: chunked'),
  codingAttack('bare LF before the name', 'A: b\nTransfer-Encoding: chunked'),
  codingAttack('high byte after the value', 'Transfer-Encoding: chunked\xa0', 501),
  {
    name: 'chunked in HTTP/1.0',
    bytes: `POST /first HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    status: 400,
  },
  { name: 'bare LF throughout', bytes: get.replaceAll('\r', '').concat('\n', smuggled), status: 400 },
  { name: 'bare LF at the end of the head', bytes: `${get}\n${smuggled}`, status: 400 },
  { name: 'bare CR as line end', bytes: `GET /first HTTP/1.1\rHost: x\r\n\r\n${smuggled}`, status: 400 },
  { name: 'CR CR LF', bytes: `GET /first HTTP/1.1\r\r\nHost: x\r\n\r\n${smuggled}`, status: 400 },
  { name: 'obs-fold', bytes: `${get}A: b\r\n c: d\r\n\r\n${smuggled}`, status: 400 },
  { name: 'NUL in a name', bytes: `${get}A\0: b\r\n\r\n${smuggled}`, status: 400 },
  { name: 'NUL in a value', bytes: `${get}A: \0b\r\n\r\n${smuggled}`, status: 400 },
  { name: 'NUL in the target', bytes: `GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`, status: 400 },
  {
    name: 'request splitting in the target',
    bytes: `GET /first\rGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`,
    status: 400,
  },
  { name: 'space in the target', bytes: `GET /a b HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`, status: 400 },
  { name: 'no Host', bytes: `GET /first HTTP/1.1\r\n\r\n${smuggled}`, status: 400 },
  { name: 'two Hosts', bytes: `${get}Host: y\r\n\r\n${smuggled}`, status: 400 },
  { name: 'Host with at sign', bytes: `GET / HTTP/1.1\r\nHost: x@y\r\n\r\n${smuggled}`, status: 400 },
  { name: 'absolute-form', bytes: `GET http://y/first HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`, status: 400 },
  { name: 'authority-form', bytes: `CONNECT y:443 HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`, status: 501 },
  { name: 'no leading slash', bytes: `GET first HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`, status: 400 },
  { name: 'HTTP/2 preface', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
  { name: 'HTTP/1.9', bytes: `GET / HTTP/1.9\r\nHost: x\r\n\r\n${smuggled}`, status: 505 },
  { name: 'two-digit version', bytes: `GET / HTTP/1.10\r\nHost: x\r\n\r\n${smuggled}`, status: 400 },
  { name: 'HTTP/0.9', bytes: `GET /first\r\n\r\n${smuggled}`, status: 400 },
  { name: 'blank line first', bytes: `\r\n${get}\r\n`, status: 400 },
  { name: 'head too large', bytes: `${get}A: ${'b'.repeat(20_000)}\r\n\r\n${smuggled}`, status: 431 },
  { name: 'endless head', bytes: `${get}${'A: b\r\n'.repeat(10_000)}`, status: 431 },
  { name: 'too many fields', bytes: `${get}${'A: b\r\n'.repeat(70)}\r\n${smuggled}`, status: 431 },
  { name: 'endless target', bytes: `GET /${'a'.repeat(20_000)}`, status: 431 },
  { name: 'garbage after a request', bytes: `${good}\x00\x01garbage`, status: 400, served: ['/good'] },
  {
    name: 'surplus body',
    bytes: `${post}Content-Length: 2\r\n\r\nab{"x":1}\r\n\r\n`,
    status: 400,
    served: ['/first'],
  },
  { name: 'TLS to the plain port', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400 },
  ...(
    [
      ['plus sign', '+1\r\na\r\n0\r\n\r\n'],
      ['minus sign', '-1\r\na\r\n0\r\n\r\n'],
      ['0x prefix', '0x1\r\na\r\n0\r\n\r\n'],
      ['leading space', ' 1\r\na\r\n0\r\n\r\n'],
      ['trailing space', '1 \r\na\r\n0\r\n\r\n'],
      ['empty', '\r\na\r\n0\r\n\r\n'],
      ['overflow', '10000000000000001\r\na\r\n0\r\n\r\n'],
      ['bare LF', '1\na\n0\n\n'],
      ['bare LF in the extension', `2;\nxx\r\n35\r\n0\r\n\r\n`],
      ['bare CR in the extension', `2;\rxx\r\n35\r\n0\r\n\r\n`],
      ['endless extension', `1;${'a'.repeat(5000)}\r\na\r\n0\r\n\r\n`],
      ['data past its size', '1\r\nab\r\n0\r\n\r\n'],
      ['no CRLF after the data', '1\r\na0\r\n\r\n'],
      ['bare LF at the end', '0\r\n\n'],
      ['folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
      ['request as trailer', `0\r\n${smuggled}`],
      ['endless trailers', `0\r\n${'A: b\r\n'.repeat(3000)}\r\n`],
    ] as const
  ).map(
    ([name, body]): Attack => ({
      name: `chunk size: ${name}`,
      bytes: `${post}Transfer-Encoding: chunked\r\n\r\n${body}${smuggled}`,
      status: 400,
    }),
  ),
]

let listener: Listener | null = null
const served: string[] = []

before(async () => {
  listener = await openHttpListener(
    { host: '127.0.0.1', port: 0, reusePort: false, bounds: { ...contractBounds, headerTimeoutMs: 4000 } },
    (inbound) => {
      inbound.readBody(100_000, (failure) => {
        if (failure === null) served.push(inbound.target)
        inbound.reply.send(failure === null ? 200 : 400, [], '')
      })
    },
  )
})
after(() => listener?.destroy())

function port(): number {
  if (listener === null) throw new Error('not before the suite starts')
  return listener.address.port
}

for (const attack of attacks) {
  test(`refused and closed: ${attack.name}`, async () => {
    served.length = 0
    const outcome = await exchangeRaw(port(), [attack.bytes])
    assert.deepEqual(served, attack.served ?? [])
    const expected = [...(attack.served ?? []).map(() => 200), attack.status]
    assert.deepEqual(outcome.statuses, expected)
    assert.ok(outcome.closed, 'the connection stayed open')
    assert.ok(outcome.elapsedMs < 2500, `closed only after ${outcome.elapsedMs} ms`)
    assert.match(outcome.text, /connection: close\r\n/)
    assert.match(outcome.text, /\{"error":\{"code":"request\.[a-z-]+","message":"[^"]+"\}\}$/)
  })

  test(`refused the same way when sent in pieces: ${attack.name}`, async () => {
    served.length = 0
    const middle = Math.floor(attack.bytes.length / 2)
    const cuts = attack.bytes.length < 2000 ? [3, middle, attack.bytes.length - 1] : [middle]
    const pieces = [0, ...cuts].map((from, index) =>
      attack.bytes.slice(from, cuts[index] ?? attack.bytes.length),
    )
    const outcome = await exchangeRaw(port(), pieces, { gapMs: 15 })
    assert.ok(!served.includes('/smuggled'))
    assert.equal(outcome.statuses.at(-1), attack.status)
    assert.ok(outcome.closed, 'the connection stayed open')
  })
}

test('well-formed pipelined requests are served strictly in order', async () => {
  served.length = 0
  const chunked =
    'POST /two HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: r\r\n\r\n'
  const last = 'GET /three HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const bytes = `POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc${chunked}${last}${smuggled}`
  for (const pieces of [[bytes], [...bytes]]) {
    served.length = 0
    const outcome = await exchangeRaw(port(), pieces)
    assert.deepEqual(served, ['/one', '/two', '/three'])
    assert.deepEqual(outcome.statuses, [200, 200, 200])
    assert.ok(outcome.closed)
  }
})
