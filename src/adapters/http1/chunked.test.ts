import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createChunkedDecoder } from './chunked.ts'

interface Decoded {
  readonly text: string
  readonly finished: boolean
  readonly rest: string
}

function decode(pieces: readonly Buffer[]): Decoded | 'broken' {
  const slices: Buffer[] = []
  const decoder = createChunkedDecoder((slice) => slices.push(slice))
  for (const [index, piece] of pieces.entries()) {
    const used = decoder.push(piece)
    if (used < 0) return 'broken'
    if (decoder.finished) {
      const rest = Buffer.concat([piece.subarray(used), ...pieces.slice(index + 1)])
      return { text: Buffer.concat(slices).toString('latin1'), finished: true, rest: rest.toString('latin1') }
    }
    assert.equal(used, piece.length)
  }
  return { text: Buffer.concat(slices).toString('latin1'), finished: false, rest: '' }
}

function split(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
  return points.slice(1).map((to, index) => whole.subarray(points[index] ?? 0, to))
}

test('chunks, extensions and trailers are read; only data comes out and the rest is left alone', () => {
  const text = '5\r\nhello\r\n0A;x=1;y="z; \\"q";w\r\n, world...\r\n000\r\nTrail: er\r\nB:\r\n\r\nGET /'
  assert.deepEqual(decode([Buffer.from(text)]), { text: 'hello, world...', finished: true, rest: 'GET /' })
})

const broken: readonly (readonly [string, string])[] = [
  ['empty size', '\r\nhello\r\n0\r\n\r\n'],
  ['plus sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['minus sign', '-5\r\nhello\r\n0\r\n\r\n'],
  ['0x prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['blank after the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['underscore', '1_0\r\n'],
  ['too many digits', '000000005\r\nhello\r\n0\r\n\r\n'],
  ['bare LF after the size', '5\nhello\r\n0\r\n\r\n'],
  ['bare CR after the size', '5\rhello\r\n0\r\n\r\n'],
  ['bare LF after the data', '5\r\nhello\n0\r\n\r\n'],
  ['data longer than announced', '5\r\nhello!\r\n0\r\n\r\n'],
  ['bare LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['extension without a name', '5;\r\nhello\r\n0\r\n\r\n'],
  ['extension that begins with =', '5;=b\r\nhello\r\n0\r\n\r\n'],
  ['colon in an extension', '5;:=b\r\nhello\r\n0\r\n\r\n'],
  ['blank in an extension', '5; a\r\nhello\r\n0\r\n\r\n'],
  ['extension with an open quote', '5;a="b\r\nhello\r\n0\r\n\r\n'],
  ['text after a quoted value', '5;a="b"c\r\nhello\r\n0\r\n\r\n'],
  ['NUL in an extension', '5;a\0\r\nhello\r\n0\r\n\r\n'],
  ['extension without end', `5;${'a'.repeat(300)}`],
  ['many extensions', `1;${'a'.repeat(200)}\r\nx\r\n`.repeat(40)],
  ['bare LF at the end', '0\r\n\n'],
  ['folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
  ['trailer without colon', '0\r\nabc\r\n\r\n'],
  ['trailer with space before the colon', '0\r\nabc : d\r\n\r\n'],
  ['endless trailers', `0\r\n${'A: b\r\n'.repeat(2000)}`],
]

for (const [what, text] of broken) {
  test(`chunked coding is refused: ${what}`, () => {
    assert.equal(decode([Buffer.from(text, 'latin1')]), 'broken')
    assert.equal(decode(split(Buffer.from(text, 'latin1'), [...Array(text.length).keys()])), 'broken')
  })
}

test('any body in any chunks, split anywhere, comes out whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' }), { maxLength: 8 }),
      fc.array(fc.nat(300), { maxLength: 10 }),
      (chunks, cuts) => {
        const coded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
        const whole = Buffer.from(`${coded}0\r\n\r\nnext`, 'latin1')
        assert.deepEqual(decode(split(whole, cuts)), { text: chunks.join(''), finished: true, rest: 'next' })
      },
    ),
  )
})

test('any bytes, split anywhere, have the same outcome', () => {
  const alphabet = fc.constantFrom('0', '1', 'a', ';', '\r\n', '\r', '\n', ' ', ':', 'x', '\0')
  fc.assert(
    fc.property(
      fc.array(alphabet, { maxLength: 30 }),
      fc.array(fc.nat(40), { maxLength: 8 }),
      (parts, cuts) => {
        const whole = Buffer.from(parts.join(''), 'latin1')
        assert.deepEqual(decode(split(whole, cuts)), decode([whole]))
      },
    ),
    { numRuns: 1000 },
  )
})
