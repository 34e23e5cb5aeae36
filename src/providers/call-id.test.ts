import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { plainCallId } from './call-id.ts'

test('an id that every API takes stays as it is', () => {
  for (const id of ['call_1', 'toolu_01A09q90qw90lq917835lq9', 'a'.repeat(64)])
    assert.equal(plainCallId(id), id)
})

test('any other id becomes one that every API takes, always the same and unlike that of another id', () => {
  assert.notEqual(plainCallId('functions.get:0'), plainCallId('functions:get.0'))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (id) => {
      assert.match(plainCallId(id), /^[A-Za-z0-9_-]{1,64}$/)
      assert.equal(plainCallId(id), plainCallId(id))
    }),
  )
})
