/**
 * The vendors' own clients read what Gatewright writes for them: every golden stream and response of every
 * provider dialect, for callers of each dialect that has an official client here.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import type { CanonicalError, CanonicalRequest } from '../../src/domain/canonical.ts'
import type { DialectId } from '../../src/domain/dialect-id.ts'
import { isJsonObject } from '../../src/domain/json.ts'
import type { Dialect } from '../../src/providers/dialect.ts'
import {
  allDialects,
  type Collected,
  caseNames,
  collect,
  encodeStream,
  loadSource,
  ownFacts,
  plainRequest,
  readStream,
  wire,
  writeStream,
} from './fixtures.ts'

interface Answer {
  readonly provider: DialectId
  readonly caseName: string
  readonly said: Collected
  /** For the caller: the stream, and the unary body as JSON. */
  readonly stream: Buffer
  readonly body: string
}

function dialectOf(id: DialectId): Dialect {
  const found = allDialects.find((dialect) => dialect.id === id)
  assert.ok(found)
  return found
}

function answersFor(caller: Dialect): readonly Answer[] {
  const request: CanonicalRequest = { ...plainRequest, dialect: caller.id }
  return allDialects.flatMap((provider) =>
    caseNames.flatMap((caseName): readonly Answer[] => {
      const source = loadSource(caseName, provider.id)
      if (source?.stream === undefined || source.response === undefined) return []
      const events = readStream(provider, encodeStream(provider.id, source.stream))
      const ctx = { ...ownFacts, request, model: 'm', downgrade: () => {} }
      const body = caller.writeResponse(provider.readResponse(source.response), ctx)
      const stream = writeStream(caller, events, { request, model: 'm' }).bytes
      return [{ provider: provider.id, caseName, said: collect(events), stream, body: JSON.stringify(body) }]
    }),
  )
}

function textOf(said: Collected): string {
  return said.parts.reduce((text, part) => (part.type === 'text' ? text + part.text : text), '')
}

function callsOf(said: Collected): readonly { readonly name: string; readonly input: unknown }[] {
  return said.parts.flatMap((part) =>
    part.type === 'tool-call' ? [{ name: part.name, input: JSON.parse(part.arguments) as unknown }] : [],
  )
}

function replying(body: string | Buffer, contentType: string): typeof fetch {
  return () =>
    Promise.resolve(
      new Response(new Uint8Array(Buffer.from(body)), { headers: { 'content-type': contentType } }),
    )
}

const eventStream = 'text/event-stream; charset=utf-8'

describe('openai client, chat completions', () => {
  const messages = [{ role: 'user' as const, content: 'hi' }]
  for (const answer of answersFor(dialectOf('openai-chat'))) {
    it(`accumulates the stream of ${answer.provider}, case ${answer.caseName}`, async () => {
      const client = new OpenAI({ apiKey: 'k', fetch: replying(answer.stream, eventStream) })
      const stream = client.chat.completions.stream({
        model: 'm',
        messages,
        stream_options: { include_usage: true },
      })
      const completion = await stream.finalChatCompletion()
      const message = completion.choices[0]?.message
      assert.equal(message?.content ?? '', textOf(answer.said))
      const calls = (message?.tool_calls ?? []).flatMap((call) =>
        call.type === 'function'
          ? [{ name: call.function.name, input: JSON.parse(call.function.arguments) as unknown }]
          : [],
      )
      assert.deepEqual(calls, callsOf(answer.said))
      assert.equal(completion.usage?.prompt_tokens, answer.said.usage?.inputTokens)
    })

    it(`parses the response of ${answer.provider}, case ${answer.caseName}`, async () => {
      const client = new OpenAI({ apiKey: 'k', fetch: replying(answer.body, 'application/json') })
      const completion = await client.chat.completions.create({ model: 'm', messages })
      assert.equal(completion.choices[0]?.message.content ?? '', textOf(answer.said))
      assert.equal(completion.usage?.completion_tokens, answer.said.usage?.outputTokens)
    })
  }
})

describe('openai client, responses', () => {
  for (const answer of answersFor(dialectOf('openai-responses'))) {
    it(`accumulates the stream of ${answer.provider}, case ${answer.caseName}`, async () => {
      const client = new OpenAI({ apiKey: 'k', fetch: replying(answer.stream, eventStream) })
      const response = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse()
      assert.equal(response.output_text, textOf(answer.said))
      const calls = response.output.flatMap((item) =>
        item.type === 'function_call'
          ? [{ name: item.name, input: JSON.parse(item.arguments) as unknown }]
          : [],
      )
      assert.deepEqual(calls, callsOf(answer.said))
      assert.equal(response.usage?.input_tokens, answer.said.usage?.inputTokens)
    })

    it(`parses the response of ${answer.provider}, case ${answer.caseName}`, async () => {
      const client = new OpenAI({ apiKey: 'k', fetch: replying(answer.body, 'application/json') })
      const response = await client.responses.parse({ model: 'm', input: 'hi' })
      assert.equal(response.output_text, textOf(answer.said))
      assert.equal(response.usage?.output_tokens, answer.said.usage?.outputTokens)
    })
  }
})

describe('anthropic client', () => {
  const params = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hi' }] }
  for (const answer of answersFor(dialectOf('anthropic-messages'))) {
    it(`accumulates the stream of ${answer.provider}, case ${answer.caseName}`, async () => {
      const client = new Anthropic({ apiKey: 'k', fetch: replying(answer.stream, eventStream) })
      const message = await client.messages.stream(params).finalMessage()
      const blocks = message.content
      const text = blocks.reduce((all, block) => (block.type === 'text' ? all + block.text : all), '')
      const refusal = answer.said.parts.reduce(
        (all, part) => (part.type === 'refusal' ? all + part.text : all),
        '',
      )
      assert.equal(text, textOf(answer.said) + refusal)
      const calls = blocks.flatMap((block) =>
        block.type === 'tool_use' ? [{ name: block.name, input: block.input as unknown }] : [],
      )
      assert.deepEqual(wire(calls), callsOf(answer.said))
      assert.equal(message.usage.output_tokens, answer.said.usage?.outputTokens)
    })
  }
})

describe('google client', () => {
  const gemini = allDialects.find((dialect) => dialect.id === 'gemini')
  for (const answer of gemini === undefined ? [] : answersFor(gemini)) {
    it(`reads the stream of ${answer.provider}, case ${answer.caseName}`, async () => {
      const server = createServer((_, res) => {
        res.writeHead(200, { 'content-type': eventStream })
        res.end(answer.stream)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      try {
        const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } })
        const stream = await client.models.generateContentStream({ model: 'm', contents: 'hi' })
        let text = ''
        const calls: unknown[] = []
        for await (const chunk of stream) {
          for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
            if (part.text !== undefined && part.thought !== true) text += part.text
            if (part.functionCall !== undefined) {
              calls.push({ name: part.functionCall.name, input: part.functionCall.args })
            }
          }
        }
        const refusal = answer.said.parts.reduce(
          (all, part) => (part.type === 'refusal' ? all + part.text : all),
          '',
        )
        assert.equal(text, textOf(answer.said) + refusal)
        assert.deepEqual(calls, callsOf(answer.said))
      } finally {
        server.closeAllConnections()
        server.close()
      }
    })
  }
})

describe('openai client, structured output', () => {
  const city = z.object({ city: z.string(), population: z.number() })
  const expected = { city: 'Paris', population: 2_102_650 }
  const isStructured = ({ caseName }: Answer) => caseName === 'structured-output'

  for (const answer of answersFor(dialectOf('openai-chat')).filter(isStructured)) {
    it(`parses the chat completion of ${answer.provider} into the schema`, async () => {
      const client = new OpenAI({ apiKey: 'k', fetch: replying(answer.body, 'application/json') })
      const completion = await client.chat.completions.parse({
        model: 'm',
        messages: [],
        response_format: zodResponseFormat(city, 'city'),
      })
      assert.deepEqual(completion.choices[0]?.message.parsed, expected)
    })
  }

  for (const answer of answersFor(dialectOf('openai-responses')).filter(isStructured)) {
    it(`parses the response of ${answer.provider} into the schema`, async () => {
      const client = new OpenAI({ apiKey: 'k', fetch: replying(answer.body, 'application/json') })
      const response = await client.responses.parse({
        model: 'm',
        input: 'hi',
        text: { format: zodTextFormat(city, 'city') },
      })
      assert.deepEqual(response.output_parsed, expected)
    })
  }
})

describe('errors inside a stream', () => {
  const error: CanonicalError = { kind: 'overloaded', status: 503, code: 'x.y', message: 'Try later.' }
  const cut = (id: DialectId) => {
    const dialect = dialectOf(id)
    const request: CanonicalRequest = { ...plainRequest, dialect: id }
    const { bytes } = writeStream(
      dialect,
      [
        { type: 'start', id: 'i', model: 'm', created: 1 },
        { type: 'part-start', choice: 0, part: 0, kind: 'text' },
        { type: 'delta', choice: 0, part: 0, text: 'a' },
        { type: 'error', error },
        { type: 'end' },
      ],
      { request, model: 'm' },
    )
    return replying(bytes, eventStream)
  }

  it('are thrown by the openai client with their message, in chat completions and responses', async () => {
    const chat = new OpenAI({ apiKey: 'k', fetch: cut('openai-chat') })
    const chunks = await chat.chat.completions.create({ model: 'm', messages: [], stream: true })
    await assert.rejects(async () => {
      for await (const chunk of chunks) assert.ok(isJsonObject(chunk))
    }, /Try later\./)
    const responses = new OpenAI({ apiKey: 'k', fetch: cut('openai-responses') })
    await assert.rejects(
      responses.responses.stream({ model: 'm', input: 'hi' }).finalResponse(),
      /Try later\./,
    )
  })

  it('are thrown by the anthropic client with their message', async () => {
    const client = new Anthropic({ apiKey: 'k', fetch: cut('anthropic-messages'), maxRetries: 0 })
    const params = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'hi' }] }
    await assert.rejects(client.messages.stream(params).finalMessage(), /Try later\./)
  })
})
