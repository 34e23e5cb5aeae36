import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CanonicalEvent, CanonicalRequest } from '../../../domain/canonical.ts'
import type { JsonObject } from '../../../domain/json.ts'
import { Fault } from '../../../kernel/fault.ts'
import {
  assertRequestSurvives,
  readStream,
  responseContext,
  writeRequest,
  writeStream,
} from '../dialect.contract.ts'
import { openaiChat } from './index.ts'

const user = { role: 'user', content: 'hi' }

function body(fields: JsonObject): JsonObject {
  return { model: 'm', messages: [user], ...fields }
}

function read(fields: JsonObject): CanonicalRequest {
  return openaiChat.readRequest(body(fields), {})
}

function faultOf(step: () => unknown): Fault {
  try {
    step()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  assert.fail('a fault was expected')
}

const surviving: Readonly<Record<string, JsonObject>> = {
  'every scalar option': {
    temperature: 0.5,
    top_p: 0.5,
    frequency_penalty: 0.1,
    presence_penalty: -0.1,
    seed: -4,
    n: 2,
    logprobs: true,
    top_logprobs: 3,
    max_completion_tokens: 10,
    parallel_tool_calls: false,
    reasoning_effort: 'none',
    verbosity: 'high',
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    user: 'u',
    safety_identifier: 's',
    prompt_cache_key: 'k',
    prompt_cache_retention: '24h',
    service_tier: 'flex',
    store: true,
    metadata: { a: 'b' },
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy', format: 'wav' },
    prediction: { type: 'content', content: 'x' },
    web_search_options: { search_context_size: 'low' },
    logit_bias: { 50256: -100 },
    moderation: { model: 'omni' },
  },
  'explicit nulls and empty lists': {
    temperature: null,
    stop: [],
    tools: [],
    user: null,
    response_format: null,
  },
  'the older spelling of the output limit': { max_tokens: 10 },
  'a safety identifier without user': { safety_identifier: 's' },
  'stream options without usage': { stream: false, stream_options: {} },
  'vendor fields': {
    top_k: 40,
    min_p: 0.1,
    chat_template_kwargs: { enable_thinking: true },
    reasoning: { max_tokens: 9 },
  },
  'json mode': { response_format: { type: 'json_object' } },
  'a schema without its optional parts': {
    response_format: { type: 'json_schema', json_schema: { name: 'n' } },
  },
  'an unknown response format': { response_format: { type: 'grammar', grammar: 'x' } },
  'function and custom tools': {
    tools: [
      {
        type: 'function',
        function: { name: 'f', strict: null, parameters: { type: 'object' } },
        cache_control: {},
      },
      {
        type: 'custom',
        custom: { name: 'c', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } },
      },
    ],
    tool_choice: { type: 'custom', custom: { name: 'c' } },
  },
  'allowed tools': {
    tools: [{ type: 'function', function: { name: 'f' } }],
    tool_choice: {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
    },
  },
  'a named tool with something more': {
    tool_choice: { type: 'function', function: { name: 'f', extra: 1 } },
  },
  'metadata that is not text': { metadata: { a: 1 } },
  'legacy functions': {
    functions: [{ name: 'f', parameters: { type: 'object' } }],
    function_call: { name: 'f' },
    messages: [
      user,
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '1' },
    ],
  },
  'every kind of content': {
    messages: [
      { role: 'system', content: 'a' },
      {
        role: 'developer',
        content: [{ type: 'text', text: 'b', prompt_cache_breakpoint: { mode: 'explicit' } }],
      },
      {
        role: 'user',
        name: 'ada',
        content: [
          { type: 'text', text: 'c' },
          { type: 'image_url', image_url: { url: 'https://a/b.png', detail: 'high', more: 1 } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } },
          { type: 'file', file: { file_id: 'f', filename: 'a.pdf' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
          { type: 'file', file: { file_data: 'AA==' } },
          { type: 'video_url', video_url: { url: 'https://a/b.mp4' } },
          { type: 'hologram', depth: 3 },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'd' },
          { type: 'refusal', refusal: 'no' },
        ],
        refusal: null,
        audio: { id: 'audio_1' },
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a": 1}' }, index: 0 },
          { id: 'c2', type: 'custom', custom: { name: 'c', input: 'x' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'e' },
      { role: 'tool', tool_call_id: 'c2', name: 'c', content: [{ type: 'text', text: 'f', more: true }] },
      { role: 'assistant', refusal: 'never', content: null },
      { role: 'assistant', reasoning_content: 'r', content: 's' },
      { role: 'assistant', reasoning: 'r', content: 's' },
      { role: 'assistant', reasoning: 'r', reasoning_content: 'r', content: 's' },
      {
        role: 'assistant',
        reasoning: 'r',
        reasoning_details: [{ type: 'reasoning.text', text: 'r', signature: 'x', index: 0 }],
        content: 's',
      },
    ],
  },
}

describe('openai-chat requests', () => {
  for (const [what, fields] of Object.entries(surviving)) {
    it(`keep ${what} through the canonical form`, () => assertRequestSurvives(openaiChat, body(fields)))
  }

  const malformed: readonly (readonly [param: string, fields: JsonObject])[] = [
    ['model', { model: null }],
    ['messages', { messages: 'x' }],
    ['messages[0]', { messages: ['x'] }],
    ['messages[0].role', { messages: [{ content: 'x' }] }],
    ['messages[0].role', { messages: [{ role: 'king', content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: 7 }] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages[0].content[0].image_url', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }],
    [
      'messages[0].tool_calls[0].function.name',
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: {} }] }] },
    ],
    ['messages[0].tool_call_id', { messages: [{ role: 'tool', content: 'x' }] }],
    ['temperature', { temperature: 'hot' }],
    ['max_tokens', { max_tokens: 1, max_completion_tokens: 1 }],
    ['max_completion_tokens', { max_completion_tokens: -1 }],
    ['stop[1]', { stop: ['a', 1] }],
    ['tools[0].type', { tools: [{}] }],
    ['tools[0].function.name', { tools: [{ type: 'function', function: {} }] }],
    ['tool_choice', { tool_choice: 'maybe' }],
    ['functions', { functions: [], tools: [] }],
    ['stream_options', { stream_options: true }],
  ]
  for (const [param, fields] of malformed) {
    it(`name ${param} when it is malformed: ${JSON.stringify(fields)}`, () => {
      assert.equal(faultOf(() => read(fields)).param, param)
    })
  }

  it('carry allowed tools from openai-responses, and refuse custom ones', () => {
    const from = (tool: JsonObject): CanonicalRequest => ({
      ...read({}),
      dialect: 'openai-responses',
      native: {
        dialect: 'openai-responses',
        fields: { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [tool] } },
      },
    })
    const { body: out } = writeRequest(openaiChat, from({ type: 'function', name: 'f' }))
    assert.deepEqual(out['tool_choice'], {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
    })
    const fault = faultOf(() => writeRequest(openaiChat, from({ type: 'custom', name: 'c' })))
    assert.equal(fault.param, 'tool_choice.tools[0]')
  })

  it('turn a token budget into an effort and say so', () => {
    const request: CanonicalRequest = {
      ...read({}),
      dialect: 'anthropic-messages',
      reasoning: { budgetTokens: 9000 },
    }
    const { body: out, downgrades } = writeRequest(openaiChat, request)
    assert.equal(out['reasoning_effort'], 'medium')
    assert.deepEqual(
      downgrades.map((one) => one.field),
      ['thinking.budget_tokens'],
    )
  })

  it('spell fields as the provider demands', () => {
    const request: CanonicalRequest = { ...read({ seed: 1, max_tokens: 9 }), dialect: 'gemini' }
    const quirks = { maxTokensField: 'max_tokens', renameFields: { seed: 'random_seed' } } as const
    const out = openaiChat.writeRequest(request, { model: 'm', quirks, downgrade: () => {} })
    assert.equal(out['max_tokens'], 9)
    assert.equal(out['random_seed'], 1)
    assert.ok(!('seed' in out) && !('max_completion_tokens' in out))
  })

  it('ask for usage on a stream only when it is wanted', () => {
    const ask = (streamUsage: boolean, stream: boolean) =>
      writeRequest(openaiChat, { ...read({}), dialect: 'gemini', stream, streamUsage }).body['stream_options']
    assert.deepEqual(ask(true, true), { include_usage: true })
    assert.equal(ask(false, true), undefined)
    assert.equal(ask(true, false), undefined)
  })

  it('refuse an image in a tool result by its place', () => {
    const request: CanonicalRequest = {
      ...read({}),
      dialect: 'anthropic-messages',
      messages: [
        {
          role: 'tool',
          at: 'messages[3]',
          parts: [
            {
              type: 'tool-result',
              callId: 'c',
              content: [{ type: 'image', source: { kind: 'url', url: 'https://a/b' } }],
            },
          ],
        },
      ],
    }
    assert.equal(faultOf(() => writeRequest(openaiChat, request)).param, 'messages[3].content[0]')
  })
})

function stream(chunks: readonly (JsonObject | string)[]): CanonicalEvent[] {
  const text = chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`)
  return readStream(openaiChat, Buffer.from(text.join('')))
}

function delta(fields: JsonObject, rest: JsonObject = {}): JsonObject {
  return {
    id: 'i',
    model: 'm',
    created: 1,
    choices: [{ index: 0, delta: fields, finish_reason: null, ...rest }],
  }
}

const last: JsonObject = { id: 'i', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }

describe('openai-chat streams', () => {
  it('carry signatures of reasoning to the caller and back', () => {
    const events: CanonicalEvent[] = [
      { type: 'start', id: 'i', model: 'm', created: 1 },
      { type: 'part-start', choice: 0, part: 0, kind: 'reasoning' },
      { type: 'delta', choice: 0, part: 0, text: 'r' },
      { type: 'part-end', choice: 0, part: 0, signature: 'sig' },
      { type: 'finish', choice: 0, stopReason: 'stop' },
      { type: 'end' },
    ]
    const read = readStream(openaiChat, writeStream(openaiChat, events))
    assert.deepEqual(
      read.find((event) => event.type === 'part-end'),
      events[3],
    )
  })

  it('keep what stands beside a text for callers of the same dialect', () => {
    const filter = { content_filter_results: { hate: { filtered: false } } }
    const events = stream([delta({ content: 'a' }, filter), last, '[DONE]'])
    const text = writeStream(openaiChat, events).toString()
    assert.ok(text.includes('"content_filter_results":{"hate":{"filtered":false}}'))
    assert.equal(events.filter((event) => event.type === 'part-start').length, 1)
  })

  it('give function_call back to a caller of functions', () => {
    const request = openaiChat.readRequest(body({ functions: [{ name: 'f' }] }), {})
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
    const end = { id: 'i', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }
    const events = stream([delta({ tool_calls: [call] }), end, '[DONE]'])
    const text = writeStream(openaiChat, events, { ...responseContext(), request }).toString()
    assert.ok(text.includes('"function_call":{"name":"f","arguments":""}'))
    assert.ok(text.includes('"finish_reason":"function_call"'))
  })

  it('carry custom tool calls in their own dialect', () => {
    const call = { index: 0, id: 'c', type: 'custom', custom: { name: 'f', input: 'a' } }
    const more = { index: 0, custom: { input: 'b' } }
    const events = stream([delta({ tool_calls: [call] }), delta({ tool_calls: [more] }), last, '[DONE]'])
    const again = readStream(openaiChat, writeStream(openaiChat, events))
    assert.deepEqual(
      again.filter((event) => event.type === 'delta').map((event) => event.text),
      ['a', 'b'],
    )
  })

  it('take the last of several usage figures, once', () => {
    const counted = (tokens: number) => ({
      ...delta({ content: 'a' }),
      usage: { prompt_tokens: 1, completion_tokens: tokens },
    })
    const usages = stream([counted(1), counted(2), last, '[DONE]']).filter((event) => event.type === 'usage')
    assert.deepEqual(
      usages.map((event) => event.usage.outputTokens),
      [2],
    )
  })

  it('end with the error that a chunk holds', () => {
    const events = stream([delta({ content: 'a' }), { error: { message: 'Slow down.', code: 429 } }, last])
    const error = events.find((event) => event.type === 'error')
    assert.equal(error?.error.kind, 'rate-limit')
    assert.equal(events.at(-1)?.type, 'end')
  })

  it('refuse a delta for a call that was closed', () => {
    const call = (index: number) => ({ index, id: `c${index}`, function: { name: 'f', arguments: '' } })
    const late = { index: 0, function: { arguments: '{}' } }
    const events = stream([delta({ tool_calls: [call(0), call(1)] }), delta({ tool_calls: [late] })])
    assert.equal(events.find((event) => event.type === 'error')?.error.code, 'upstream.malformed')
  })

  it('tell apart several choices', () => {
    const both = {
      id: 'i',
      choices: [0, 1].map((index) => ({ index, delta: { content: `${index}` }, finish_reason: 'stop' })),
    }
    const finished = stream([both, '[DONE]']).filter((event) => event.type === 'finish')
    assert.deepEqual(
      finished.map((event) => event.choice),
      [0, 1],
    )
  })
})

describe('openai-chat responses', () => {
  it('count a stop beside calls as tool calls, and keep the word for the way back', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
    const wire = {
      id: 'i',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, tool_calls: [call] },
          finish_reason: 'stop',
        },
      ],
    }
    const response = openaiChat.readResponse(wire)
    assert.equal(response.choices[0]?.stopReason, 'tool-calls')
    const again = openaiChat.writeResponse(response, responseContext()) as unknown as typeof wire
    assert.equal(again.choices[0]?.finish_reason, 'stop')
  })

  it('that are no completion are malformed', () => {
    for (const wrong of [{}, { choices: [{}] }, { choices: [{ message: { content: 5 } }] }]) {
      assert.equal(faultOf(() => openaiChat.readResponse(wrong)).code, 'upstream.malformed')
    }
  })
})
