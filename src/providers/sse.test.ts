import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../kernel/fault.ts'
import { type SseEvent, sseEvent, sseParser } from './sse.ts'

function parse(chunks: readonly Uint8Array[], maxEventLength?: number): SseEvent[] {
  const events: SseEvent[] = []
  const parser = sseParser(maxEventLength)
  for (const chunk of chunks) parser.push(chunk, (event) => events.push(event))
  parser.finish((event) => events.push(event))
  return events
}

const bytes = (text: string) => Buffer.from(text)

describe('SSE parser', () => {
  it('reads names, joined data lines, comments and unknown fields as the standard says', () => {
    const text =
      '\uFEFF: comment\nevent: a\ndata: 1\ndata:2\ndata\nid: 7\nretry: 5\nfoo\n\nevent: none\n\ndata:  x\n\n'
    assert.deepEqual(parse([bytes(text)]), [
      { event: 'a', data: '1\n2\n' },
      { event: 'message', data: ' x' },
    ])
  })

  it('takes LF, CR and CRLF alike, mixed', () => {
    assert.deepEqual(
      parse([bytes('data: 1\r\rdata: 2\r\n\r\ndata: 3\n\ndata: 4\r\n\n')]).map((e) => e.data),
      ['1', '2', '3', '4'],
    )
  })

  it('gives the same events however the bytes are cut', () => {
    const line = fc.constantFrom('data: a', 'data: ü€😀', 'data:', 'event: x', ': c', '', 'data: {"a":"b:c"}')
    const end = fc.constantFrom('\n', '\r', '\r\n')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, end), { maxLength: 30 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (lines, sizes) => {
          const all = bytes(lines.flat().join(''))
          const chunks: Uint8Array[] = []
          for (let from = 0; from < all.length; ) {
            const size = sizes.next().value ?? 1
            chunks.push(all.subarray(from, from + size))
            from += size
          }
          assert.deepEqual(parse(chunks), parse([all]))
        },
      ),
    )
  })

  it('reads back what the formatter wrote', () => {
    const text = sseEvent('{"a":1}', 'x') + sseEvent('[DONE]')
    assert.deepEqual(parse([bytes(text)]), [
      { event: 'x', data: '{"a":1}' },
      { event: 'message', data: '[DONE]' },
    ])
  })

  it('emits a last event that lacks its blank line', () => {
    assert.deepEqual(parse([bytes('data: [DONE]')]), [{ event: 'message', data: '[DONE]' }])
  })

  it('refuses an event above the bound, in one line or in many', () => {
    const isTooLarge = (error: unknown) => error instanceof Fault && error.code === 'upstream.too-large'
    assert.throws(() => parse([bytes(`data: ${'x'.repeat(101)}`)], 100), isTooLarge)
    assert.throws(
      () => parse([bytes(`data: ${'x'.repeat(60)}\n`), bytes(`data: ${'x'.repeat(60)}\n`)], 100),
      isTooLarge,
    )
  })
})
