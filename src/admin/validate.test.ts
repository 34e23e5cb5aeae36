import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Type } from 'typebox'
import { Fault } from '../kernel/fault.ts'
import { closed } from './schemas.ts'
import { compileValidator } from './validate.ts'

const schema = closed({
  name: Type.String({ maxLength: 4 }),
  count: Type.Optional(Type.Integer({ minimum: 1 })),
  targets: Type.Optional(Type.Array(closed({ model: Type.String() }))),
})

function refusal(value: unknown, httpPart = 'body'): Fault {
  const validate = compileValidator({ schema, httpPart, method: 'POST', url: '/' })
  const result = validate(value) as { error?: Error }
  assert.ok(result.error?.cause instanceof Fault)
  return result.error.cause
}

test('a refusal names the field by its path and says why', () => {
  const cases: readonly (readonly [unknown, string, string])[] = [
    [{}, 'request.missing-field', 'name'],
    [{ name: 'a', colour: 1 }, 'request.invalid-field', 'colour'],
    [{ naem: 'a' }, 'request.invalid-field', 'naem'],
    [{ name: 'a', count: 0 }, 'request.invalid-field', 'count'],
    [{ name: 'a', count: '1' }, 'request.invalid-field', 'count'],
    [{ name: 'a', targets: [{ model: 'b' }, {}] }, 'request.missing-field', 'targets[1].model'],
    [{ name: 'a', targets: [{ model: 'b', 'x/y': 1 }] }, 'request.invalid-field', 'targets[0].x/y'],
    [[], 'request.invalid-field', 'body'],
    [null, 'request.invalid-field', 'body'],
  ]
  for (const [value, code, param] of cases) {
    const fault = refusal(value)
    assert.deepEqual([fault.code, fault.param], [code, param], JSON.stringify(value))
  }
})

test('a refusal never repeats the value that was refused', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12 }), (secret) => {
      fc.pre(!'The field name is not valid: must not have more than 4 characters.'.includes(secret))
      assert.ok(!refusal({ name: secret }).publicText.includes(secret))
    }),
  )
})

test('query values, which are text, are read as the numbers that the schema wants; bodies are not', () => {
  const validate = compileValidator({ schema, httpPart: 'querystring', method: 'GET', url: '/' })
  assert.deepEqual(validate({ name: 'a', count: '5' }), { value: { name: 'a', count: 5 } })
  assert.equal(refusal({ name: 'a', count: 'many' }, 'querystring').param, 'count')
})

test('whatever is sent, the answer is a value or a fault', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const validate = compileValidator({ schema, httpPart: 'body', method: 'POST', url: '/' })
      const result = validate(value) as { value?: unknown; error?: Error }
      assert.ok('value' in result || result.error?.cause instanceof Fault)
    }),
  )
})
