import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CanonicalEvent, CanonicalRequest } from '../../../domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../../domain/json.ts'
import { Fault } from '../../../kernel/fault.ts'
import {
  assertRequestSurvives,
  plainRequest,
  readStream,
  responseContext,
  writeRequest,
  writeStream,
} from '../dialect.contract.ts'
import { openaiChat } from '../openai-chat/index.ts'
import { openaiResponses } from './index.ts'

function message(role: string, content: JsonValue, rest: JsonObject = {}): JsonObject {
  return { type: 'message', role, content, ...rest }
}

function body(fields: JsonObject): JsonObject {
  return { model: 'm', input: [message('user', 'hi')], ...fields }
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
  'every option': {
    instructions: 'be brief',
    temperature: 0.5,
    top_p: 0.5,
    top_logprobs: 2,
    include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
    max_output_tokens: 10,
    max_tool_calls: 3,
    parallel_tool_calls: false,
    reasoning: { effort: 'none', summary: 'detailed', context: 'auto' },
    text: { format: { type: 'json_object' }, verbosity: 'low' },
    truncation: 'auto',
    previous_response_id: 'resp_1',
    store: true,
    background: true,
    stream: true,
    stream_options: { include_obfuscation: true },
    user: 'u',
    safety_identifier: 's',
    prompt_cache_key: 'k',
    prompt_cache_retention: '24h',
    service_tier: 'flex',
    metadata: { a: 'b' },
    context_management: [{ type: 'compaction' }],
    prompt: { id: 'p', variables: { a: 'b' } },
    moderation: { model: 'omni' },
  },
  'explicit nulls and empty lists': {
    instructions: null,
    temperature: null,
    tools: [],
    reasoning: null,
    text: {},
  },
  'a conversation and no input': { input: null, conversation: 'conv_1' },
  'an empty input': { input: [] },
  'empty reasoning': { reasoning: {} },
  'an unknown text format': { text: { format: { type: 'grammar' }, verbosity: 'low' } },
  'a named tool': { tool_choice: { type: 'function', name: 'f' } },
  'a built-in tool choice': { tool_choice: { type: 'web_search_preview' } },
  'a safety identifier alone': { safety_identifier: 's' },
  'function and built-in tools': {
    tools: [
      { type: 'function', name: 'f', description: 'd', parameters: null, strict: true, defer_loading: true },
      { type: 'web_search', filters: { allowed_domains: ['a.b'] } },
      { type: 'custom', name: 'c', format: { type: 'text' } },
    ],
  },
  'every kind of item': {
    input: [
      message('developer', 'a'),
      message('system', 'b', { id: 'msg_0' }),
      message('user', [
        { type: 'input_text', text: 'c' },
        { type: 'input_image', image_url: 'https://a/b.png', detail: 'high' },
        {
          type: 'input_image',
          image_url: 'data:image/png;base64,AA==',
          prompt_cache_breakpoint: { mode: 'explicit' },
        },
        { type: 'input_image', file_id: 'file_1', image_url: null },
        { type: 'input_file', file_id: 'file_2' },
        { type: 'input_file', file_url: 'https://a/b.pdf', filename: 'b.pdf' },
        { type: 'input_file', file_url: 'data:application/pdf,plain' },
        { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'b.pdf' },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } },
        { type: 'hologram', depth: 3 },
      ]),
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'e' },
      { type: 'reasoning', id: 'rs_2', summary: [], content: [{ type: 'reasoning_text', text: 'raw' }] },
      message('assistant', [{ type: 'output_text', text: 'd', annotations: [] }], {
        id: 'msg_1',
        status: 'completed',
      }),
      message('assistant', 'e'),
      message('assistant', 'f', { phase: 'commentary' }),
      message(
        'assistant',
        [
          {
            type: 'output_text',
            text: 'g',
            annotations: [{ type: 'url_citation', url: 'https://a' }],
            logprobs: [],
          },
          { type: 'refusal', refusal: 'no' },
        ],
        { id: 'msg_2', status: 'incomplete' },
      ),
      {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'c1',
        name: 'f',
        arguments: '{"a": 1}',
        status: 'completed',
      },
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
      { type: 'custom_tool_call', call_id: 'c2', name: 'c', input: 'x' },
      { type: 'function_call_output', call_id: 'c1', output: 'h', id: 'fco_1', status: 'completed' },
      {
        type: 'custom_tool_call_output',
        call_id: 'c2',
        output: [{ type: 'input_image', file_id: 'file_3' }],
      },
      { type: 'mcp_approval_response', approval_request_id: 'a', approve: true },
      { type: 'item_reference', id: 'msg_9' },
      message('user', 'i'),
    ],
  },
}

describe('openai-responses requests', () => {
  for (const [what, fields] of Object.entries(surviving)) {
    it(`keep ${what} through the canonical form`, () => assertRequestSurvives(openaiResponses, body(fields)))
  }

  const malformed: readonly (readonly [param: string, fields: JsonObject])[] = [
    ['input', { input: 7 }],
    ['input[0]', { input: ['x'] }],
    ['input[0].role', { input: [{ content: 'x' }] }],
    ['input[0].role', { input: [{ role: 'tool', content: 'x' }] }],
    ['input[0].content', { input: [{ role: 'user' }] }],
    ['input[0].call_id', { input: [{ type: 'function_call', name: 'f' }] }],
    ['input[0].output', { input: [{ type: 'function_call_output', call_id: 'c' }] }],
    ['input[0].content[0].image_url', { input: [message('user', [{ type: 'input_image' }])] }],
    ['instructions', { instructions: ['x'] }],
    ['tools[0].name', { tools: [{ type: 'function' }] }],
    ['tool_choice', { tool_choice: 5 }],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'n' } } }],
    ['reasoning.effort', { reasoning: { effort: 3 } }],
  ]
  for (const [param, fields] of malformed) {
    it(`name ${param} when it is malformed: ${JSON.stringify(fields)}`, () => {
      assert.equal(faultOf(() => openaiResponses.readRequest(body(fields), {})).param, param)
    })
  }

  const refused: readonly (readonly [param: string, fields: JsonObject])[] = [
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: { id: 'conv_1' } }],
    ['background', { background: true }],
    ['prompt', { prompt: { id: 'p' } }],
    ['truncation', { truncation: 'auto' }],
    ['text.format', { text: { format: { type: 'grammar' } } }],
    ['tools[0]', { tools: [{ type: 'web_search' }] }],
    ['input[0]', { input: [{ type: 'item_reference', id: 'a' }] }],
  ]
  for (const [param, fields] of refused) {
    it(`cannot express ${param} for another dialect: ${JSON.stringify(fields)}`, () => {
      const request = openaiResponses.readRequest(body(fields), {})
      const fault = faultOf(() => writeRequest(openaiChat, request))
      assert.equal(fault.code, 'dialect.cannot-express')
      assert.equal(fault.param, param)
    })
  }

  it('join the items of one turn, so that calls stand in one message', () => {
    const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' })
    const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'x' })
    const input = [message('assistant', 'a'), call('c1'), call('c2'), output('c1'), output('c2')]
    const roles = openaiResponses.readRequest(body({ input }), {}).messages.map((one) => one.role)
    assert.deepEqual(roles, ['assistant', 'tool', 'tool'])
  })

  it('store nothing and check no arguments strictly for callers of other dialects', () => {
    const request = openaiChat.readRequest(
      { model: 'm', messages: [], tools: [{ type: 'function', function: { name: 'f' } }] },
      {},
    )
    const { body: out } = writeRequest(openaiResponses, request)
    assert.equal(out['store'], false)
    assert.deepEqual(out['tools'], [
      { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false },
    ])
  })

  it('carry what both OpenAI dialects say, each in its own way', () => {
    const chat = {
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
      },
      verbosity: 'low',
      store: true,
      prompt_cache_key: 'k',
      safety_identifier: 's',
    }
    const { body: out, downgrades } = writeRequest(openaiResponses, openaiChat.readRequest(chat, {}))
    assert.deepEqual(downgrades, [])
    assert.deepEqual(out, {
      model: 'm',
      input: [message('user', 'hi')],
      tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
      text: { verbosity: 'low' },
      store: true,
      prompt_cache_key: 'k',
      safety_identifier: 's',
    })
  })

  it('refuse custom tools of Chat Completions by their place', () => {
    const chat = { model: 'm', messages: [], tools: [{ type: 'custom', custom: { name: 'c' } }] }
    const fault = faultOf(() => writeRequest(openaiResponses, openaiChat.readRequest(chat, {})))
    assert.equal(fault.param, 'tools[0]')
  })

  it('drop sampling options that the API lacks with a word, and refuse several answers', () => {
    const request: CanonicalRequest = {
      ...plainRequest,
      dialect: 'openai-chat',
      sampling: { seed: 0, frequencyPenalty: 1, presencePenalty: 0, topK: 4 },
    }
    const fields = writeRequest(openaiResponses, request).downgrades.map((one) => one.field)
    assert.deepEqual(fields.toSorted(), ['frequency_penalty', 'seed', 'top_k'])
    const several = { ...request, sampling: { candidates: 2 } }
    assert.equal(faultOf(() => writeRequest(openaiResponses, several)).param, 'n')
  })
})

const item = {
  type: 'web_search_call',
  id: 'ws_1',
  status: 'completed',
  action: { type: 'search', query: 'q' },
}

function wire(events: readonly JsonObject[]): Buffer {
  const text = events.map((event, at) => {
    return `event: ${String(event['type'])}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`
  })
  return Buffer.from(text.join(''))
}

const created = {
  type: 'response.created',
  response: { id: 'resp_1', created_at: 1, model: 'm', output: [] },
}
const completed = {
  type: 'response.completed',
  response: { id: 'resp_1', created_at: 1, model: 'm', status: 'completed', output: [item] },
}

describe('openai-responses streams', () => {
  it('pass the events of built-in tools to callers of the same dialect', () => {
    const source = [
      created,
      { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
      { type: 'response.web_search_call.searching', output_index: 0, item_id: 'ws_1' },
      { type: 'response.output_item.done', output_index: 0, item },
      completed,
    ]
    const text = writeStream(openaiResponses, readStream(openaiResponses, wire(source))).toString()
    const types = [...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1])
    assert.deepEqual(types, [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.web_search_call.searching',
      'response.output_item.done',
      'response.completed',
    ])
    assert.ok(text.includes('"output":[{"id":"ws_1","type":"web_search_call","status":"completed"'))
  })

  it('carry several summary parts as paragraphs and give them back apart', () => {
    const at = { output_index: 0, item_id: 'rs_1' }
    const summary = (text: string, index: number) => [
      {
        type: 'response.reasoning_summary_part.added',
        ...at,
        summary_index: index,
        part: { type: 'summary_text', text: '' },
      },
      { type: 'response.reasoning_summary_text.delta', ...at, summary_index: index, delta: text },
    ]
    const done = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'e' }
    const source = [
      created,
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'reasoning', id: 'rs_1', summary: [] },
      },
      ...summary('a', 0),
      ...summary('b', 1),
      { type: 'response.output_item.done', output_index: 0, item: done },
      completed,
    ]
    const events = readStream(openaiResponses, wire(source))
    const texts = events.filter((event) => event.type === 'delta').map((event) => event.text)
    assert.equal(texts.join(''), 'a\n\nb')
    const end = events.find((event) => event.type === 'part-end')
    assert.equal(end?.encrypted, 'e')
    const text = writeStream(openaiResponses, events).toString()
    assert.ok(
      text.includes('"summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}]'),
    )
  })

  it('take the text of servers that send no deltas from the closing events', () => {
    const call = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: '' }
    const source = [
      created,
      { type: 'response.output_item.added', output_index: 0, item: call },
      { type: 'response.function_call_arguments.done', output_index: 0, item_id: 'fc_1', arguments: '{}' },
      { type: 'response.output_item.done', output_index: 0, item: { ...call, arguments: '{}' } },
      completed,
    ]
    const events = readStream(openaiResponses, wire(source))
    assert.deepEqual(
      events.filter((event) => event.type === 'delta').map((event) => event.text),
      ['{}'],
    )
    assert.equal(events.find((event) => event.type === 'finish')?.stopReason, 'tool-calls')
  })

  it('end with the error of a failed response or an error event', () => {
    const failed = {
      type: 'response.failed',
      response: { error: { code: 'rate_limit_exceeded', message: 'Slow.' } },
    }
    const flat = { type: 'error', code: 'server_error', message: 'Broken.', param: null }
    const nested = { type: 'error', error: { type: 'server_error', message: 'Broken.' } }
    const kinds = [failed, flat, nested].map((event) => {
      const events = readStream(openaiResponses, wire([created, event]))
      assert.equal(events.at(-1)?.type, 'end')
      return events.find((one) => one.type === 'error')?.error.kind
    })
    assert.deepEqual(kinds, ['rate-limit', 'upstream', 'upstream'])
  })

  it('number their events without a gap', () => {
    const events: CanonicalEvent[] = [
      { type: 'start', id: 'i', model: 'm', created: 1 },
      { type: 'part-start', choice: 0, part: 0, kind: 'text' },
      { type: 'delta', choice: 0, part: 0, text: 'a' },
      { type: 'part-end', choice: 0, part: 0 },
      { type: 'finish', choice: 0, stopReason: 'length' },
      { type: 'end' },
    ]
    const text = writeStream(openaiResponses, events).toString()
    const numbers = [...text.matchAll(/"sequence_number":(\d+)/g)].map((match) => Number(match[1]))
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at),
    )
    assert.ok(text.includes('event: response.incomplete'))
    assert.ok(text.includes('"incomplete_details":{"reason":"max_output_tokens"}'))
  })
})

describe('openai-responses responses', () => {
  it('carry signatures of other providers to the caller and back', () => {
    const response = {
      id: 'i',
      model: 'm',
      created: 1,
      choices: [{ index: 0, parts: [{ type: 'reasoning', text: 'r', signature: 's' }], stopReason: 'stop' }],
    } as const
    const out = openaiResponses.writeResponse(response, responseContext())
    const [part] = openaiResponses.readResponse(out).choices[0]?.parts ?? []
    assert.equal(part?.type === 'reasoning' ? part.signature : undefined, 's')
  })

  it('echo the settings of the request, and never claim to store', () => {
    const request = openaiResponses.readRequest(
      body({ temperature: 0.5, instructions: 'x', store: true }),
      {},
    )
    const out = openaiResponses.writeResponse(
      { id: 'i', model: 'm', created: 0, choices: [{ index: 0, parts: [], stopReason: 'stop' }] },
      { ...responseContext(), request, created: 7 },
    )
    assert.equal(out['temperature'], 0.5)
    assert.equal(out['instructions'], 'x')
    assert.equal(out['store'], false)
    assert.equal(out['created_at'], 7)
  })

  it('that are no response are malformed', () => {
    for (const wrong of [{}, { output: [{ type: 'function_call' }] }, { output: [{ content: 5 }] }]) {
      assert.equal(faultOf(() => openaiResponses.readResponse(wrong)).code, 'upstream.malformed')
    }
  })
})
