import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Native } from '../domain/canonical.ts'
import type { JsonObject } from '../domain/json.ts'
import { Fault } from '../kernel/fault.ts'
import type { Downgrade } from './dialect.ts'
import { type NativeTarget, nativeFields } from './native.ts'

function chat(fields: JsonObject, at = ''): Native {
  return { dialect: 'openai-chat', fields, at }
}

function target(rest: Partial<NativeTarget> = {}): NativeTarget & { readonly downgrades: Downgrade[] } {
  const downgrades: Downgrade[] = []
  return { dialect: 'gemini', downgrade: (one) => downgrades.push(one), downgrades, ...rest }
}

describe('native fields', () => {
  it('are put back in their own dialect', () => {
    const own = chat({ logit_bias: { 5: 1 } })
    assert.equal(nativeFields(own, 'request', target({ dialect: 'openai-chat' })), own.fields)
  })

  it('are refused by the path of the caller in another dialect', () => {
    const refusal = (error: unknown) =>
      error instanceof Fault && error.code === 'dialect.cannot-express' && error.param === 'messages[2].zz'
    assert.throws(() => nativeFields(chat({ zz: 1 }, 'messages[2]'), 'message', target()), refusal)
  })

  it('are dropped with a downgrade where the table gives a reason', () => {
    const to = target()
    nativeFields(chat({ verbosity: 'low' }), 'request', to)
    assert.deepEqual(
      to.downgrades.map((one) => one.field),
      ['verbosity'],
    )
  })

  it('are dropped without a word when they say nothing: null, a default, a second spelling', () => {
    const to = target()
    const silent = {
      user: null,
      store: false,
      modalities: ['text'],
      max_tokens: 5,
      stream_options: { x: null },
    }
    nativeFields(chat(silent), 'request', to)
    assert.deepEqual(to.downgrades, [])
  })

  it('are refused when a field that has a droppable default has another value', () => {
    assert.throws(() => nativeFields(chat({ modalities: ['text', 'audio'] }), 'request', target()), Fault)
  })

  it('are judged field by field inside an object of known fields', () => {
    const to = target()
    nativeFields(chat({ stream_options: { include_obfuscation: true } }), 'request', to)
    assert.deepEqual(
      to.downgrades.map((one) => one.field),
      ['stream_options.include_obfuscation'],
    )
    const inside = (error: unknown) => error instanceof Fault && error.param === 'stream_options.zz'
    assert.throws(() => nativeFields(chat({ stream_options: { zz: 1 } }), 'request', target()), inside)
  })

  it('are left to the writer where it says them itself', () => {
    const to = target({ translated: new Set(['zz']) })
    assert.deepEqual(nativeFields(chat({ zz: 1 }), 'request', to), {})
    assert.deepEqual(to.downgrades, [])
  })

  it('are reported, never refused, while a response is written', () => {
    const to = target({ responding: true })
    nativeFields(chat({ zz: 1 }), 'part', to)
    assert.deepEqual(
      to.downgrades.map((one) => one.field),
      ['zz'],
    )
  })

  it('named __proto__ are judged like any other', () => {
    const hostile = JSON.parse('{"__proto__":1,"constructor":1}') as JsonObject
    assert.throws(() => nativeFields(chat(hostile), 'request', target()), Fault)
  })
})
