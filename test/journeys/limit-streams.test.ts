/**
 * Streams that reach a hard budget while they run, as the official SDKs see them: each ends with an error that the SDK
 * raises and that names the limit, whichever dialect stands behind.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { type GatewayRig, startRig } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'
import { testLimit } from '../../src/gateway/harness/test-limit.ts'

const dialects = {
  'via-chat': { providerId: 'openai', dialect: 'openai-chat' },
  'via-responses': { providerId: 'openai', dialect: 'openai-responses' },
  'via-anthropic': { providerId: 'anthropic', dialect: null },
  'via-gemini': { providerId: 'gemini', dialect: null },
  'via-bedrock': { providerId: 'bedrock', dialect: null },
} as const
/** Bedrock is signed for, within a region. */
const own = (id: string) =>
  id === 'via-bedrock'
    ? { settings: { region: 'eu-central-1' }, secrets: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'k' } }
    : { secrets: { apiKey: 'sk-test-0001' } }
const models = Object.keys(dialects)
const budget = 150
const prompt = 'sandbox: tokens=5000 chunk-delay=1ms'

let rig: GatewayRig
let round = 0

before(async () => {
  rig = await startRig((upstream) => ({
    deployments: Object.entries(dialects).map(([id, row]) =>
      testDeployment({ id, ...row, baseUrl: upstream.url, ...own(id) }),
    ),
    routes: models.map((model) => testRoute(model, [model], 'sandbox-model')),
  }))
  // Answers come to be expected short, so that a long one is let in and then runs into the budget.
  limitOutput('wide', 1_000_000)
  for (const model of models) {
    for (let at = 0; at < 8; at += 1) {
      const answer = await rig.chat({ model, messages: [{ role: 'user', content: 'sandbox: tokens=3' }] })
      assert.equal(answer.status, 200)
    }
  }
})
after(() => rig.stop())
beforeEach(() => {
  round += 1
  rig.started.records.length = 0
  rig.upstream.clear()
  limitOutput(`budget-${round}`, budget)
})

function limitOutput(id: string, amount: number): void {
  const { gateway, config } = rig.started
  const window = { kind: 'rolling', ms: 31 * 86_400_000, burst: null } as const
  const limits = [testLimit({ id, name: 'budget', meter: 'output-tokens', amount, window })]
  gateway.apply({ type: 'config', config: { ...config, limits } })
}

/** All text that came before the stream ended, and the error with which it did. */
async function readToError(
  stream: AsyncIterable<unknown>,
  textOf: (event: never) => string | undefined,
): Promise<{ readonly text: string; readonly error: Error }> {
  let text = ''
  try {
    for await (const event of stream) text += textOf(event as never) ?? ''
  } catch (error) {
    assert.ok(error instanceof Error)
    return { text, error }
  }
  throw new Error('the stream ended without an error')
}

async function assertCut({ text, error }: { readonly text: string; readonly error: Error }): Promise<void> {
  assert.match(error.message, /limit budget on output-tokens is reached/)
  assert.ok(text.length > budget, `${text.length} characters came first`)
  const [record] = rig.started.records
  assert.deepEqual(
    [record?.fault, record?.refusedBy, record?.status, record?.outcome],
    ['limits.stream-ended', 'budget', 200, 'refused'],
  )
  const tokens = record?.outputTokens ?? 0
  assert.ok(tokens > budget - 64 && tokens < budget + 64, `${tokens} tokens`)
  await rig.upstream.until(() => rig.upstream.requests[0]?.disconnected === true)
}

for (const model of models) {
  describe(`a stream that reaches its budget, ${model}`, () => {
    test('openai SDK, chat completions', async () => {
      const client = new OpenAI({
        baseURL: `${rig.started.url}/v1`,
        apiKey: rig.started.apiKey,
        maxRetries: 0,
      })
      const stream = await client.chat.completions.create({
        model,
        stream: true,
        messages: [{ role: 'user', content: prompt }],
      })
      const cut = await readToError(
        stream,
        (chunk: OpenAI.ChatCompletionChunk) => chunk.choices[0]?.delta.content ?? undefined,
      )
      await assertCut(cut)
      assert.ok(cut.error instanceof OpenAI.APIError)
      assert.equal(cut.error.code, 'limits.stream-ended')
      assert.equal(cut.error.type, 'insufficient_quota')
    })

    test('openai SDK, responses', async () => {
      const client = new OpenAI({
        baseURL: `${rig.started.url}/v1`,
        apiKey: rig.started.apiKey,
        maxRetries: 0,
      })
      const stream = await client.responses.create({ model, stream: true, input: prompt })
      const cut = await readToError(stream, (event: OpenAI.Responses.ResponseStreamEvent) =>
        event.type === 'response.output_text.delta' ? event.delta : undefined,
      )
      await assertCut(cut)
      assert.ok(cut.error instanceof OpenAI.APIError)
    })

    test('google genai SDK', async () => {
      const client = new GoogleGenAI({
        apiKey: rig.started.apiKey,
        httpOptions: { baseUrl: rig.started.url },
      })
      const stream = await client.models.generateContentStream({ model, contents: prompt })
      await assertCut(await readToError(stream, (chunk: { readonly text?: string }) => chunk.text))
    })

    test('Gemini’s array of answers is closed', async () => {
      const answer = await rig.call(`/v1beta/models/${model}:streamGenerateContent`, {
        body: { contents: [{ role: 'user', parts: [{ text: prompt }] }] },
      })
      const list = JSON.parse(answer.text) as { readonly error?: { readonly status: string } }[]
      assert.equal(list.at(-1)?.error?.status, 'RESOURCE_EXHAUSTED')
    })

    test('anthropic SDK', async () => {
      const client = new Anthropic({ baseURL: rig.started.url, apiKey: rig.started.apiKey, maxRetries: 0 })
      const stream = await client.messages.create({
        model,
        stream: true,
        // Left out, against the SDK's types: a cap that fits is kept to, and never reaches the budget.
        max_tokens: undefined as never,
        messages: [{ role: 'user', content: prompt }],
      })
      const cut = await readToError(stream, (event: Anthropic.MessageStreamEvent) =>
        event.type === 'content_block_delta' && event.delta.type === 'text_delta'
          ? event.delta.text
          : undefined,
      )
      await assertCut(cut)
      assert.ok(cut.error instanceof Anthropic.APIError)
    })
  })
}

test('a stream in torn pieces is cut between two events', async () => {
  rig.upstream.failNext({ kind: 'drip', pieceBytes: 61, delayMs: 0 })
  const client = new OpenAI({ baseURL: `${rig.started.url}/v1`, apiKey: rig.started.apiKey, maxRetries: 0 })
  const stream = await client.chat.completions.create({
    model: 'via-chat',
    stream: true,
    messages: [{ role: 'user', content: 'sandbox: tokens=2000' }],
  })
  const cut = await readToError(
    stream,
    (chunk: OpenAI.ChatCompletionChunk) => chunk.choices[0]?.delta.content ?? undefined,
  )
  await assertCut(cut)
})
