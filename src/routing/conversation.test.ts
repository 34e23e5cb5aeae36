import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { conversationHash } from './conversation.ts'

const system = { role: 'system', content: 'You are terse.' }
const first = { role: 'user', content: 'What is a monad?' }
const hash = (body: object, user = '', tenant = 'org_a') => conversationHash(tenant, body as never, user)

test('later turns do not move a conversation, in any dialect', () => {
  const answer = { role: 'assistant', content: 'A burrito.' }
  const pairs: readonly (readonly [object, object])[] = [
    [{ messages: [system, first] }, { messages: [system, first, answer, { role: 'user', content: 'Why?' }] }],
    [
      { system: 'Be kind.', messages: [first] },
      { system: 'Be kind.', messages: [first, answer] },
    ],
    [
      { instructions: 'x', input: [first] },
      { instructions: 'x', input: [first, answer], temperature: 1 },
    ],
    [
      { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
      {
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }] },
          { role: 'model', parts: [{ text: 'Hello' }] },
        ],
      },
    ],
  ]
  for (const [before, after] of pairs) {
    assert.notEqual(hash(before), null)
    assert.equal(hash(before), hash(after))
  }
})

test('another system text, another first message, another tenant: another place', () => {
  const base = hash({ messages: [system, first] })
  assert.notEqual(base, hash({ messages: [{ ...system, content: 'You are wordy.' }, first] }))
  assert.notEqual(base, hash({ messages: [system, { ...first, content: 'What is a functor?' }] }))
  assert.notEqual(base, hash({ messages: [system, first] }, '', 'org_b'))
})

test('the name that the caller gives goes before its words, the end user after them', () => {
  const named = hash({ prompt_cache_key: 'chat-7', messages: [system, first] })
  assert.equal(named, hash({ prompt_cache_key: 'chat-7', messages: [first] }))
  assert.equal(hash({ messages: [first] }, 'ada'), hash({ messages: [first] }, 'bob'))
  assert.equal(hash({ file: 1 }, 'ada'), hash({}, 'ada'))
  assert.equal(hash({}), null)
})

test('marks of the prompt cache do not move a conversation', () => {
  const block = { type: 'text', text: 'Long.' }
  const marked = { system: [{ ...block, cache_control: { type: 'ephemeral' } }], messages: [first] }
  assert.equal(hash(marked), hash({ system: [block], messages: [first] }))
})

test('fuzz: any JSON has a place or none, in bounded time', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const found = hash({ messages: value, system: value, input: value })
      assert.ok(found === null || Number.isInteger(found))
    }),
  )
  const huge = { role: 'user', content: 'x'.repeat(20_000_000) }
  const began = performance.now()
  hash({ messages: [huge] })
  assert.ok(performance.now() - began < 50)
})
