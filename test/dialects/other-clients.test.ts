/**
 * Clients that check what they read against schemas of their own: Vercel's AI SDK and LangChain, on the golden
 * streams of every provider dialect.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { type LanguageModel, streamText } from 'ai'
import type { CanonicalRequest } from '../../src/domain/canonical.ts'
import type { DialectId } from '../../src/domain/dialect-id.ts'
import {
  allDialects,
  caseNames,
  collect,
  encodeStream,
  loadSource,
  plainRequest,
  readStream,
  writeStream,
} from './fixtures.ts'

interface Told {
  readonly name: string
  readonly text: string
  readonly calls: number
  readonly outputTokens: number | undefined
  readonly fetch: typeof fetch
}

/** Streams for callers of a dialect, with what they say. Refusals are text in some clients, nothing in others. */
function streamsFor(id: DialectId): readonly Told[] {
  const caller = allDialects.find((dialect) => dialect.id === id)
  assert.ok(caller)
  const request: CanonicalRequest = { ...plainRequest, dialect: id }
  return allDialects.flatMap((provider) =>
    caseNames.flatMap((caseName): readonly Told[] => {
      const source = loadSource(caseName, provider.id)
      if (source?.stream === undefined || caseName === 'refusal') return []
      const events = readStream(provider, encodeStream(provider.id, source.stream))
      const { bytes } = writeStream(caller, events, { request, model: 'm' })
      const { parts, usage } = collect(events)
      const headers = { 'content-type': 'text/event-stream' }
      return [
        {
          name: `${provider.id}, case ${caseName}`,
          text: parts.reduce((text, part) => (part.type === 'text' ? text + part.text : text), ''),
          calls: parts.filter((part) => part.type === 'tool-call').length,
          outputTokens: usage?.outputTokens,
          fetch: () => Promise.resolve(new Response(new Uint8Array(bytes), { headers })),
        },
      ]
    }),
  )
}

async function assertTold(model: LanguageModel, told: Told): Promise<void> {
  const errors: unknown[] = []
  const result = streamText({
    model,
    prompt: 'hi',
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  })
  let text = ''
  let calls = 0
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta') text += part.text
    if (part.type === 'tool-call') calls += 1
  }
  assert.deepEqual(errors, [])
  assert.equal(text, told.text)
  assert.equal(calls, told.calls)
  assert.equal((await result.usage).outputTokens, told.outputTokens)
}

describe('AI SDK', () => {
  for (const told of streamsFor('openai-chat')) {
    it(`reads ${told.name} as chat completions`, async () => {
      await assertTold(createOpenAI({ apiKey: 'k', fetch: told.fetch }).chat('m'), told)
    })
  }
  for (const told of streamsFor('openai-responses')) {
    it(`reads ${told.name} as responses`, async () => {
      await assertTold(createOpenAI({ apiKey: 'k', fetch: told.fetch }).responses('m'), told)
    })
  }
  for (const told of streamsFor('anthropic-messages')) {
    it(`reads ${told.name} as messages`, async () => {
      await assertTold(createAnthropic({ apiKey: 'k', fetch: told.fetch })('m'), told)
    })
  }
})

describe('LangChain', () => {
  for (const told of streamsFor('openai-chat')) {
    it(`reads ${told.name} as chat completions`, async () => {
      const model = new ChatOpenAI({
        model: 'm',
        apiKey: 'k',
        configuration: { fetch: told.fetch },
        maxRetries: 0,
      })
      let text = ''
      for await (const chunk of await model.stream('hi')) text += chunk.text
      assert.equal(text, told.text)
    })
  }
})
