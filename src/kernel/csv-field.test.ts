import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvField } from './csv-field.ts'

test('every text becomes one CSV field that reads back as itself and starts no formula', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const field = csvField(text)
      const plain = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field
      assert.ok(plain === text || plain === `'${text}`)
      assert.ok(!/^[=+\-@\t\r]/.test(plain))
      assert.ok(field.startsWith('"') || !/[",\r\n]/.test(field))
    }),
  )
})

test('a negative number stays a number, and nothing is an empty field', () => {
  assert.deepEqual([-1.5, true, null, undefined].map(csvField), ['-1.5', 'true', '', ''])
})
