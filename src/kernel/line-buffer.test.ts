import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLineBuffer } from './line-buffer.ts'

test('what is taken is what was added, a line each, whatever the text and however often it grows', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 40 })
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 5 }), (portions) => {
      const buffer = createLineBuffer(16)
      for (const lines of portions) {
        for (const line of lines) buffer.add(line)
        const expected = lines.map((line) => `${line}\n`).join('')
        assert.equal(buffer.length, Buffer.byteLength(expected))
        assert.equal(new TextDecoder().decode(buffer.take()), expected)
        assert.equal(buffer.length, 0)
      }
    }),
    { numRuns: 200 },
  )
})

test('what was taken stays as it is while more is added', () => {
  const buffer = createLineBuffer()
  buffer.add('first')
  const taken = buffer.take()
  buffer.add('other')
  assert.equal(new TextDecoder().decode(taken), 'first\n')
})
