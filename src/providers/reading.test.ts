import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../domain/json.ts'
import { Fault } from '../kernel/fault.ts'
import {
  present,
  readArray,
  readObject,
  readOptionalBoolean,
  readOptionalCount,
  readOptionalInteger,
  readOptionalNumber,
  readOptionalString,
  readString,
  unknownFields,
  untaken,
} from './reading.ts'

const body = JSON.parse(
  '{"text":"a","number":1.5,"count":3,"negative":-1,"flag":false,"nothing":null,"list":[],"object":{}}',
) as JsonObject

function faultOf(step: () => unknown): Fault {
  try {
    step()
  } catch (error) {
    if (error instanceof Fault) return error
  }
  assert.fail('a fault was expected')
}

describe('readers of untrusted JSON', () => {
  it('give values of the right type and undefined for absent or null', () => {
    assert.equal(readString(body, 'text', ''), 'a')
    assert.equal(readOptionalNumber(body, 'number', ''), 1.5)
    assert.equal(readOptionalCount(body, 'count', ''), 3)
    assert.equal(readOptionalInteger(body, 'negative', ''), -1)
    assert.equal(readOptionalBoolean(body, 'flag', ''), false)
    assert.deepEqual(readArray(body, 'list', ''), [])
    assert.deepEqual(readObject(body, 'object', ''), {})
    assert.equal(readOptionalString(body, 'nothing', ''), undefined)
    assert.equal(readOptionalString(body, 'absent', ''), undefined)
  })

  it('name the field by its whole path', () => {
    const wrong = faultOf(() => readOptionalString(body, 'number', 'messages[0]'))
    assert.equal(wrong.code, 'request.invalid-field')
    assert.equal(wrong.param, 'messages[0].number')
    assert.equal(wrong.publicText, 'The field messages[0].number is not valid: it must be a string.')
    const missing = faultOf(() => readString(body, 'absent', ''))
    assert.equal(missing.code, 'request.missing-field')
    assert.equal(missing.param, 'absent')
  })

  it('refuse counts that are negative, fractional or beyond safe integers', () => {
    for (const value of [-1, 0.5, 2 ** 60, Number.NaN, Number.POSITIVE_INFINITY]) {
      faultOf(() => readOptionalCount({ value }, 'value', ''))
    }
  })
})

describe('what a reader leaves', () => {
  const origin = { dialect: 'gemini', at: 'x' } as const

  it('is nothing when every field is known', () => {
    assert.equal(untaken({ a: 1 }, new Set(['a']), origin), undefined)
  })

  it('holds unknown fields and known ones that are null', () => {
    const left = untaken({ a: 1, b: null, c: 2 }, new Set(['a', 'b']), origin)
    assert.deepEqual({ ...left?.fields }, { b: null, c: 2 })
    assert.equal(left?.at, 'x')
    assert.deepEqual({ ...unknownFields({ a: 1, b: null, c: 2 }, new Set(['a'])) }, { c: 2 })
  })

  it('keeps a field named __proto__ a field', () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject
    const left = untaken(hostile, new Set(), origin)
    assert.equal(Object.getPrototypeOf({ ...left?.fields }), Object.prototype)
    assert.equal(JSON.stringify({ ...left?.fields }), '{"__proto__":{"polluted":true}}')
  })

  it('has no undefined fields after present()', () => {
    assert.deepEqual(Object.keys(present<{ a?: number; b: number }>({ a: undefined, b: 1 })), ['b'])
  })
})
