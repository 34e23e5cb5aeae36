import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, toCanonicalValue } from './canonical-json.ts'

test('the examples of RFC 8785 come out', () => {
  const input = JSON.parse(`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
    "literals": [null, true, false]
  }`) as unknown
  assert.equal(
    canonicalJson(toCanonicalValue(input)),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 }
  assert.equal(canonicalJson(keys), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}')
})

test('the same data has one form, whatever the order of its keys, and reads back as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (data) => {
      const value = toCanonicalValue(data)
      const turned = Object.fromEntries(Object.entries(data).reverse())
      const text = canonicalJson(value)
      assert.equal(canonicalJson(toCanonicalValue(turned)), text)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('what JSON cannot say is refused, or replaced before', () => {
  assert.throws(() => canonicalJson(Number.NaN), RangeError)
  assert.throws(() => canonicalJson({ a: '\ud800' }), RangeError)
  assert.equal(
    canonicalJson(toCanonicalValue({ a: '\ud800', b: Number.NaN, c: undefined })),
    '{"a":"\ufffd","b":null}',
  )
})
