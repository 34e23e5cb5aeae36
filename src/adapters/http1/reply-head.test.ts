import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { draftFields, statusLine } from './reply-head.ts'

function draft(headers: readonly string[]): { fields: string; declaredLength: number; dropped: number } {
  const result = { fields: '', declaredLength: -1, dropped: 0 }
  draftFields(headers, result)
  return result
}

test('whatever a handler gives, each line of the head is one field with a token for a name', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 })
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (pairs) => {
      const { fields } = draft(pairs.flat())
      for (const line of fields.split('\r\n').slice(0, -1)) {
        assert.match(line, /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*$/)
      }
      assert.ok(fields === '' || fields.endsWith('\r\n'))
    }),
  )
})

test('framing fields are the listener’s in any case of letters; a sound length is noted once', () => {
  assert.deepEqual(
    draft(['Transfer-Encoding', 'gzip', 'CONNECTION', 'close', 'Date', 'x', 'Content-Length', '12']),
    {
      fields: '',
      declaredLength: 12,
      dropped: 0,
    },
  )
  assert.deepEqual(draft(['content-length', '12', 'content-length', '13', 'content-length', '-1']), {
    fields: '',
    declaredLength: 12,
    dropped: 2,
  })
})

test('a status that is no final status becomes 500', () => {
  assert.equal(statusLine(200), 'HTTP/1.1 200 OK\r\n')
  assert.equal(statusLine(299), 'HTTP/1.1 299 \r\n')
  for (const status of [0, 100, 199, 600, 20.5, Number.NaN, -1]) {
    assert.equal(statusLine(status), 'HTTP/1.1 500 Internal Server Error\r\n')
  }
})
