import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CanonicalResponse } from '../domain/canonical.ts'
import type { DialectId } from '../domain/dialect-id.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Dialect } from './dialect.ts'
import { anthropicMessages } from './dialects/anthropic-messages/index.ts'
import { bedrockConverse } from './dialects/bedrock-converse/index.ts'
import {
  plainRequest,
  readStream,
  responseContext,
  writeRequest,
  writeStream,
} from './dialects/dialect.contract.ts'
import { gemini } from './dialects/gemini/index.ts'
import { proofsFor, tagProof } from './reasoning-proof.ts'

const thought: Readonly<Record<'gemini' | 'anthropic-messages' | 'bedrock-converse', JsonObject>> = {
  gemini: {
    candidates: [
      {
        content: { parts: [{ text: 'hm', thought: true, thoughtSignature: 'sig' }], role: 'model' },
        finishReason: 'STOP',
      },
    ],
  },
  'anthropic-messages': {
    content: [
      { type: 'thinking', thinking: 'hm', signature: 'sig' },
      { type: 'redacted_thinking', data: 'sec' },
    ],
    stop_reason: 'end_turn',
  },
  'bedrock-converse': {
    output: {
      message: {
        role: 'assistant',
        content: [{ reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } }],
      },
    },
    stopReason: 'end_turn',
  },
}
const dialects: readonly Dialect[] = [gemini, anthropicMessages, bedrockConverse]

/** The response of `maker`, as a caller of `caller` gets it and sends it back. */
function carried(maker: Dialect, caller: Dialect): CanonicalResponse {
  const body = thought[maker.id as keyof typeof thought]
  const seen = caller.writeResponse(maker.readResponse(body), responseContext())
  return caller.readResponse(JSON.parse(JSON.stringify(seen)) as JsonObject)
}

function sentBack(
  response: CanonicalResponse,
  caller: Dialect,
  provider: Dialect,
): ReturnType<typeof writeRequest> {
  const parts = (response.choices[0]?.parts ?? []).map((part) => {
    const { native: _native, ...bare } = part
    return (part.type === 'opaque' ? part : bare) as typeof part
  })
  const messages = [{ role: 'assistant' as const, parts }]
  return writeRequest(provider, { ...plainRequest, dialect: caller.id, maxOutputTokens: 5, messages })
}

for (const maker of dialects) {
  for (const caller of dialects) {
    test(`a signature of ${maker.id} comes back to it whole through a caller of ${caller.id}`, () => {
      const { body, downgrades } = sentBack(carried(maker, caller), caller, maker)
      assert.deepEqual(
        downgrades.filter((one) => one.reason.startsWith('reasoning')),
        [],
      )
      assert.match(JSON.stringify(body), /"(?:signature|thoughtSignature)":"sig"/)
    })
  }
}

test('a signature never goes to a provider that cannot have made it', () => {
  for (const caller of dialects) {
    const { body, downgrades } = sentBack(carried(anthropicMessages, caller), caller, gemini)
    assert.doesNotMatch(JSON.stringify(body), /sig|sec|gatewright/)
    assert.ok(downgrades.some((one) => one.reason.startsWith('reasoning')))
  }
})

test("Claude's signatures pass between Anthropic and Bedrock untagged", () => {
  const [part] = carried(bedrockConverse, anthropicMessages).choices[0]?.parts ?? []
  assert.equal(part?.type === 'reasoning' ? part.signature : undefined, 'sig')
})

test('streams tag and keep signatures as whole responses do', () => {
  const source = Buffer.from(`data: ${JSON.stringify(thought.gemini)}\n\n`)
  const events = readStream(anthropicMessages, writeStream(anthropicMessages, readStream(gemini, source)))
  const end = events.find((event) => event.type === 'part-end')
  assert.equal(end?.signature, 'gatewright.gemini:sig')
})

const rows: readonly (readonly [
  caller: DialectId,
  to: DialectId,
  signature: string,
  expected: string | undefined,
])[] = [
  ['anthropic-messages', 'anthropic-messages', 's', 's'],
  ['anthropic-messages', 'bedrock-converse', 's', 's'],
  ['anthropic-messages', 'gemini', 's', undefined],
  ['gemini', 'anthropic-messages', 's', undefined],
  ['gemini', 'anthropic-messages', 'gatewright.anthropic-messages:s', 's'],
  ['gemini', 'gemini', 'gatewright.anthropic-messages:s', undefined],
  ['openai-responses', 'anthropic-messages', 's', 's'],
]
for (const [caller, to, signature, expected] of rows) {
  test(`from a caller of ${caller}, ${signature} reaches ${to} as ${expected}`, () => {
    assert.equal(proofsFor({ type: 'reasoning', text: '', signature }, caller, to).signature, expected)
  })
}

test('encrypted reasoning of OpenAI stays with OpenAI', () => {
  const part = { type: 'reasoning', text: '', encrypted: 'gAAAA' } as const
  assert.equal(proofsFor(part, 'openai-responses', 'anthropic-messages').encrypted, undefined)
  const tagged = tagProof('gAAAA', { dialect: 'openai-responses', fields: {} }, 'anthropic-messages')
  assert.equal(
    proofsFor({ ...part, encrypted: tagged ?? '' }, 'anthropic-messages', 'openai-responses').encrypted,
    'gAAAA',
  )
})
