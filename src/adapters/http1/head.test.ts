import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRequestHead, parseResponseHead, type RequestHead } from './head.ts'
import { createHeadReader, headIncomplete, headMalformed, headTooLarge } from './head-reader.ts'

const maxCount = 100

function parse(text: string): RequestHead | string {
  const bytes = Buffer.from(text, 'latin1')
  const reader = createHeadReader()
  const end = reader.push(bytes, 8192)
  if (end < 0)
    return end === headIncomplete ? 'incomplete' : end === headMalformed ? 'malformed' : 'too-large'
  return parseRequestHead(reader.bytes, { start: 0, end }, maxCount)
}

function accepted(text: string): RequestHead {
  const head = parse(text)
  assert.ok(typeof head !== 'string', `refused: ${String(head)}`)
  return head
}

test('a request head is read as sent: names lowered, wire order, duplicates kept, values trimmed', () => {
  const head = accepted(
    'POST /v1/chat?a=1&b[]=2 HTTP/1.1\r\nHost: a.example:8080\r\nX-Thing: \t one two \t\r\nx-thing:\r\nContent-LENGTH: 17\r\n\r\n',
  )
  assert.equal(head.method, 'POST')
  assert.equal(head.target, '/v1/chat?a=1&b[]=2')
  assert.equal(head.minorVersion, 1)
  assert.deepEqual(head.headers, [
    'host',
    'a.example:8080',
    'x-thing',
    'one two',
    'x-thing',
    '',
    'content-length',
    '17',
  ])
  assert.equal(head.contentLength, 17)
  assert.equal(head.chunked, false)
  assert.equal(head.keepAlive, true)
  assert.equal(head.expectContinue, false)
})

test('framing and persistence follow the version and the Connection field', () => {
  const line = 'GET / HTTP/1.1\r\nHost: x\r\n'
  assert.equal(accepted(`${line}\r\n`).contentLength, 0)
  assert.equal(accepted(`${line}Transfer-Encoding: chunked\r\n\r\n`).chunked, true)
  assert.equal(accepted(`${line}Transfer-Encoding: chunked\r\n\r\n`).contentLength, undefined)
  assert.equal(accepted(`${line}Connection: foo, Close\r\n\r\n`).keepAlive, false)
  assert.equal(accepted(`${line}Connection: x\r\nConnection: close\r\n\r\n`).keepAlive, false)
  assert.equal(accepted('GET / HTTP/1.0\r\n\r\n').keepAlive, false)
  assert.equal(accepted('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n').keepAlive, true)
  assert.equal(accepted(`${line}Expect: 100-Continue\r\n\r\n`).expectContinue, true)
  assert.equal(accepted('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n').target, '*')
})

const host = 'Host: x\r\n'
const refused: readonly (readonly [string, string, string])[] = [
  ['bare LF in the request line', `GET / HTTP/1.1\n${host}\r\n`, 'malformed'],
  ['bare LF after a field', 'GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n', 'malformed'],
  ['bare CR in a value', `GET / HTTP/1.1\r\n${host}A: b\rC: d\r\n\r\n`, 'malformed'],
  ['bare CR after the request line', `GET / HTTP/1.1\r${host}\r\n\r\n`, 'malformed'],
  ['obs-fold', `GET / HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`, 'malformed'],
  ['fold of the first field', `GET / HTTP/1.1\r\n ${host}\r\n`, 'malformed'],
  ['space before the colon', `GET / HTTP/1.1\r\n${host}Content-Length : 1\r\n\r\n`, 'malformed'],
  ['empty name', `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`, 'malformed'],
  ['no colon', `GET / HTTP/1.1\r\n${host}abc\r\n\r\n`, 'malformed'],
  ['NUL in a value', `GET / HTTP/1.1\r\n${host}A: b\0c\r\n\r\n`, 'malformed'],
  ['NUL in a name', `GET / HTTP/1.1\r\n${host}A\0: b\r\n\r\n`, 'malformed'],
  ['DEL in a value', `GET / HTTP/1.1\r\n${host}A: b\x7f\r\n\r\n`, 'malformed'],
  [
    'vertical tab before a value',
    `GET / HTTP/1.1\r\n${host}Transfer-Encoding:\x0bchunked\r\n\r\n`,
    'malformed',
  ],
  ['high byte in a name', `GET / HTTP/1.1\r\n${host}\xe4: b\r\n\r\n`, 'malformed'],
  ['no Host in 1.1', 'GET / HTTP/1.1\r\n\r\n', 'malformed'],
  ['two Hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 'malformed'],
  ['empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'malformed'],
  ['Host with user information', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 'malformed'],
  ['Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'malformed'],
  ['Host list', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 'malformed'],
  ['absolute-form', `GET http://x/ HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['asterisk with GET', `GET * HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['fragment', `GET /a#b HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['backslash in the target', `GET /a\\b HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['high byte in the target', `GET /\xe4 HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['two spaces in the request line', `GET  / HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['tab in the request line', `GET\t/ HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['blank after the version', `GET / HTTP/1.1 \r\n${host}\r\n`, 'malformed'],
  ['blank line before the request', `\r\nGET / HTTP/1.1\r\n${host}\r\n`, 'malformed'],
  ['HTTP/0.9', 'GET /\r\n\r\n', 'malformed'],
  ['lower-case protocol', `GET / http/1.1\r\n${host}\r\n`, 'malformed'],
  ['HTTP/2.0 preface', 'PRI * HTTP/2.0\r\n\r\n', 'unsupported-version'],
  ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, 'unsupported-version'],
  ['CONNECT', `CONNECT x:443 HTTP/1.1\r\n${host}\r\n`, 'not-implemented'],
  ['TRACE', `TRACE / HTTP/1.1\r\n${host}\r\n`, 'not-implemented'],
  ['endless method', `${'A'.repeat(40)} / HTTP/1.1\r\n${host}\r\n`, 'not-implemented'],
  [
    'two equal lengths',
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    'malformed',
  ],
  ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 'malformed'],
  ['length list', `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\n`, 'malformed'],
  ['signed length', `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\n`, 'malformed'],
  ['negative length', `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`, 'malformed'],
  ['hexadecimal length', `POST / HTTP/1.1\r\n${host}Content-Length: 0x1\r\n\r\n`, 'malformed'],
  ['blank after a length', `POST / HTTP/1.1\r\n${host}Content-Length: 1 \r\n\r\n`, 'malformed'],
  ['tab after a coding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\t\r\n\r\n`, 'malformed'],
  ['empty length', `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`, 'malformed'],
  ['length past 2^53', `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n`, 'malformed'],
  [
    'length and coding',
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'malformed',
  ],
  [
    'coding and length',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`,
    'malformed',
  ],
  [
    'two codings',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`,
    'malformed',
  ],
  ['coding in 1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'malformed'],
  ['coding list', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'not-implemented'],
  ['unknown coding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n`, 'not-implemented'],
  ['quoted coding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: "chunked"\r\n\r\n`, 'not-implemented'],
  ['coding in other case', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: Chunked\r\n\r\n`, 'not-implemented'],
  ['empty coding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n\r\n`, 'not-implemented'],
  ['identity', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`, 'not-implemented'],
  ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01', 'malformed'],
  ['too many fields', `GET / HTTP/1.1\r\n${host}${'A: b\r\n'.repeat(100)}\r\n`, 'too-many-headers'],
  ['too many bytes', `GET / HTTP/1.1\r\n${host}A: ${'b'.repeat(9000)}\r\n\r\n`, 'too-large'],
]

for (const [what, text, why] of refused) {
  test(`a request head is refused: ${what}`, () => {
    assert.equal(parse(text), why)
  })
}

const nameArbitrary = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,24}$/)
const valueArbitrary = fc.stringMatching(/^([!-~\x80-\xff]([ \t!-~\x80-\xff]{0,30}[!-~\x80-\xff])?)?$/)
const framing = new Set(['host', 'content-length', 'transfer-encoding'])

test('every well-formed field is given back exactly, whatever the name', () => {
  const field = fc.tuple(
    nameArbitrary.filter((name) => !framing.has(name.toLowerCase())),
    valueArbitrary,
  )
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      const head = accepted(`GET /x HTTP/1.1\r\n${host}${lines}\r\n`)
      assert.deepEqual(
        head.headers.slice(2),
        fields.flatMap(([name, value]) => [name.toLowerCase(), value]),
      )
    }),
  )
})

function outcome(pieces: readonly Buffer[]): string {
  const reader = createHeadReader()
  let last = headIncomplete
  for (const piece of pieces) {
    last = reader.push(piece, 2048)
    if (last !== headIncomplete) break
  }
  if (last < 0)
    return last === headTooLarge ? 'too-large' : last === headMalformed ? 'malformed' : 'incomplete'
  return JSON.stringify(parseRequestHead(reader.bytes, { start: 0, end: last }, maxCount))
}

test('any split of a byte stream gives the same head or the same refusal', () => {
  const texts = [
    'POST /v1/chat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abc\r\nContent-Length: 3\r\n\r\n',
    ...refused.map(([, text]) => text),
  ]
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(fc.nat(200), { maxLength: 8 }), (text, cuts) => {
      const whole = Buffer.from(text, 'latin1')
      const points = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
      const pieces = points.slice(1).map((to, index) => whole.subarray(points[index] ?? 0, to))
      const one = outcome([whole])
      const many = outcome(pieces)
      // A refusal may be certain earlier when bytes come in pieces; it is a refusal both ways.
      if (one.startsWith('{')) assert.equal(many, one)
      else assert.ok(!many.startsWith('{'), many)
    }),
    { numRuns: 500 },
  )
})

test('a head sent byte by byte is found, and what follows it stays available', () => {
  const reader = createHeadReader()
  const text = `GET / HTTP/1.1\r\n${host}\r\n`
  let end = headIncomplete
  for (const char of text) end = reader.push(Buffer.from(char), 1024)
  assert.equal(end, text.length)
  reader.reset()
  const both = Buffer.from(`${text}rest`)
  assert.equal(reader.push(both, 1024), text.length)
  assert.equal(reader.bytes.subarray(text.length, reader.length).toString(), 'rest')
})

test('the byte bound holds at its figure', () => {
  const text = `GET / HTTP/1.1\r\n${host}\r\n`
  assert.equal(createHeadReader().push(Buffer.from(text), text.length), text.length)
  assert.equal(createHeadReader().push(Buffer.from(text), text.length - 1), headTooLarge)
  assert.equal(createHeadReader().push(Buffer.from(text.slice(0, -1)), text.length - 1), headTooLarge)
})

function parseResponse(text: string): ReturnType<typeof parseResponseHead> {
  const bytes = Buffer.from(text, 'latin1')
  return parseResponseHead(bytes, { start: 0, end: bytes.length }, maxCount)
}

test('a response head is read with or without a reason phrase', () => {
  const head = parseResponse('HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: Chunked\r\n\r\n')
  assert.deepEqual(head, {
    status: 200,
    minorVersion: 1,
    headers: ['content-type', 'a/b', 'transfer-encoding', 'Chunked'],
    contentLength: undefined,
    chunked: true,
    keepAlive: true,
  })
  for (const line of ['HTTP/1.1 204\r\n\r\n', 'HTTP/1.1 204 \r\n\r\n']) {
    const bare = parseResponse(line)
    assert.ok(typeof bare !== 'string' && bare.status === 204 && bare.contentLength === undefined)
  }
})

test('a response head is refused where two readers could differ', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\nA: b\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 2000\r\n\r\n',
    'HTTP/2 200\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/1.1 200 O\0K\r\n\r\n',
  ]) {
    assert.equal(typeof parseResponse(text), 'string', JSON.stringify(text))
  }
})
