import assert from 'node:assert/strict'
import test from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import type { CanonicalEvent, CanonicalRequest } from '../../domain/canonical.ts'
import type { DialectId } from '../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Dialect } from '../dialect.ts'
import { dialects } from '../dialects.ts'
import { readDirectives } from './directives.ts'
import { embedText } from './embedding.ts'
import { answerRequest } from './reply.ts'
import { createSandbox } from './sandbox.ts'
import { makeInstance } from './schema-instance.ts'
import type { Step } from './steps.ts'

const sandbox = createSandbox({ dialects, now: () => 1_700_000_000_000 })

const weather = {
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city', 'unit'],
    additionalProperties: false,
  },
}

function ask(text: string, rest: Partial<CanonicalRequest> = {}): CanonicalRequest {
  return {
    model: 'sandbox',
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
    tools: [],
    builtinTools: [],
    sampling: {},
    stopSequences: [],
    stream: false,
    ...rest,
  }
}

function answer(text: string, rest: Partial<CanonicalRequest> = {}) {
  const { response } = answerRequest(ask(text, rest), 0)
  const choice = response.choices[0]
  assert.ok(choice !== undefined)
  return { ...choice, usage: response.usage, part: choice.parts[0] }
}

interface Played {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly last: Step['type']
  readonly waits: readonly number[]
}

function play(method: string, path: string, body: object | string = ''): Played {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const chunks: Buffer[] = []
  const waits: number[] = []
  let head: Extract<Step, { type: 'head' }> | undefined
  let last: Step['type'] = 'wait'
  const steps = sandbox({ method, path, body: bytes })
  for (let step = steps.next(); step.done !== true; step = steps.next()) {
    last = step.value.type
    if (step.value.type === 'head') {
      assert.equal(head, undefined, 'one head')
      head = step.value
    } else if (step.value.type === 'data') chunks.push(step.value.bytes)
    else if (step.value.type === 'wait') waits.push(step.value.ms)
  }
  return { status: head?.status ?? 0, headers: head?.headers ?? [], body: Buffer.concat(chunks), last, waits }
}

function playJson(method: string, path: string, body: object | string = ''): JsonObject {
  const parsed: unknown = JSON.parse(play(method, path, body).body.toString())
  assert.ok(isJsonObject(parsed))
  return parsed
}

const chatPath = '/v1/chat/completions'
const chatBody = (text: string, rest: object = {}) => ({
  model: 'sandbox',
  messages: [{ role: 'user', content: text }],
  ...rest,
})

/** Where each dialect generates; gemini and bedrock name the model and the stream in the path. */
const generationPaths: Readonly<Record<DialectId, readonly [unary: string, stream: string]>> = {
  'openai-chat': [chatPath, chatPath],
  'openai-responses': ['/v1/responses', '/v1/responses'],
  'anthropic-messages': ['/v1/messages', '/v1/messages'],
  gemini: ['/v1beta/models/sandbox:generateContent', '/v1beta/models/sandbox:streamGenerateContent?alt=sse'],
  'bedrock-converse': ['/model/sandbox/converse', '/model/sandbox/converse-stream'],
}

const spoken: readonly Dialect[] = Object.values(dialects)

function exchange(dialect: Dialect, request: CanonicalRequest): Played {
  const body = dialect.writeRequest(request, { model: 'sandbox', downgrade: () => undefined })
  return play('POST', generationPaths[dialect.id][request.stream ? 1 : 0], body)
}

function readEvents(dialect: Dialect, bytes: Buffer): readonly CanonicalEvent[] {
  const events: CanonicalEvent[] = []
  const reader = dialect.streamReader()
  reader.push(bytes, (event) => events.push(event))
  reader.finish((event) => events.push(event))
  return events
}

function joinDeltas(events: readonly CanonicalEvent[]): string {
  return events.map((event) => (event.type === 'delta' ? event.text : '')).join('')
}

test('the same request gets the same answer, labelled as the sandbox’s', () => {
  assert.deepEqual(answer('hello'), answer('hello'))
  const { part } = answer('hello')
  assert.ok(part?.type === 'text' && part.text.startsWith('[sandbox]') && part.text.includes('hello'))
})

test('every dialect answers in its own words, whole and as a stream', () => {
  assert.equal(spoken.length, 5)
  for (const dialect of spoken) {
    const request = ask('hello there', { maxOutputTokens: 100 })
    const whole = exchange(dialect, request)
    assert.equal(whole.status, 200, dialect.id)
    const parsed: unknown = JSON.parse(whole.body.toString())
    assert.ok(isJsonObject(parsed))
    const response = dialect.readResponse(parsed)
    const part = response.choices[0]?.parts[0]
    assert.ok(part?.type === 'text', dialect.id)
    assert.match(part.text, /^\[sandbox\] You said: hello there/)
    assert.ok((dialect.readUsage(parsed)?.inputTokens ?? 0) > 0, dialect.id)
    const streamed = exchange(dialect, { ...request, stream: true, streamUsage: true })
    const events = readEvents(dialect, streamed.body)
    assert.equal(joinDeltas(events), part.text, dialect.id)
    assert.equal(events.at(-1)?.type, 'end')
    assert.ok(!events.some((event) => event.type === 'error'), dialect.id)
  }
})

test('every dialect carries tool calls and the answer from their results', () => {
  for (const dialect of spoken) {
    const request = ask('use get_weather city=Paris', { tools: [weather], maxOutputTokens: 100 })
    for (const stream of [false, true]) {
      const played = exchange(dialect, { ...request, stream })
      assert.equal(played.status, 200, dialect.id)
      assert.match(played.body.toString('latin1'), /get_weather/, dialect.id)
      if (!stream) continue
      const text = joinDeltas(readEvents(dialect, played.body))
      assert.deepEqual(JSON.parse(text), { city: 'Paris', unit: 'celsius' }, dialect.id)
    }
    const again = exchange(dialect, {
      ...request,
      messages: [
        ...request.messages,
        {
          role: 'assistant',
          parts: [{ type: 'tool-call', id: 'call_1', name: 'get_weather', arguments: '{}' }],
        },
        {
          role: 'tool',
          parts: [
            {
              type: 'tool-result',
              callId: 'call_1',
              name: 'get_weather',
              content: [{ type: 'text', text: 'sunny' }],
            },
          ],
        },
      ],
    })
    assert.match(again.body.toString(), /The tool answered: .*sunny/, dialect.id)
  }
})

test('every dialect fails as asked, in its own error shape or within its stream', () => {
  for (const dialect of spoken) {
    const played = exchange(dialect, ask('sandbox: fail=429 retry-after=2', { maxOutputTokens: 9 }))
    assert.equal(played.status, 429)
    assert.ok(played.headers.includes('retry-after'))
    const error = dialect.readError(429, JSON.parse(played.body.toString()))
    assert.equal(error.kind, 'rate-limit', dialect.id)
    const text = 'one two three four five six\nsandbox: fail=stream-error'
    const broken = exchange(dialect, ask(text, { stream: true, maxOutputTokens: 100 }))
    assert.ok(
      readEvents(dialect, broken.body).some((event) => event.type === 'error'),
      dialect.id,
    )
  }
})

test('tools are called when demanded, named or asked for, and not otherwise', () => {
  const tools = [weather, { name: 'get_time' }]
  const names = (text: string, rest: Partial<CanonicalRequest> = {}) =>
    answer(text, { tools, ...rest }).parts.flatMap((part) => (part.type === 'tool-call' ? [part.name] : []))
  assert.deepEqual(names('hello'), [])
  assert.deepEqual(names('please get_weather and get_time'), ['get_weather', 'get_time'])
  assert.deepEqual(names('please get_weather and get_time', { parallelToolCalls: false }), ['get_weather'])
  assert.deepEqual(names('call a tool'), ['get_weather'])
  assert.deepEqual(names('hi', { toolChoice: { type: 'required' } }), ['get_weather'])
  assert.deepEqual(names('hi', { toolChoice: { type: 'tool', name: 'get_time' } }), ['get_time'])
  assert.deepEqual(names('get_weather', { toolChoice: { type: 'none' } }), [])
  assert.deepEqual(names('forget_weather'), [])
  assert.equal(answer('call a tool', { tools }).stopReason, 'tool-calls')
})

test('arguments are taken from the user’s text where it names them', () => {
  const called = (text: string): unknown => {
    const part = answer(`get_weather ${text}`, { tools: [weather] }).part
    return part?.type === 'tool-call' ? JSON.parse(part.arguments) : undefined
  }
  assert.deepEqual(called('city=Paris'), { city: 'Paris', unit: 'celsius' })
  assert.deepEqual(called('City: Paris, please'), { city: 'Paris', unit: 'celsius' })
  assert.deepEqual(called('city="New York" now'), { city: 'New York', unit: 'celsius' })
  assert.deepEqual(called('in Paris'), { city: 'sandbox', unit: 'celsius' })
})

test('directives set text, length, reasoning, refusal, usage and choices', () => {
  assert.deepEqual(answer('x\nsandbox: say=Just this.').part, { type: 'text', text: 'Just this.' })
  assert.deepEqual(answer('sandbox: say="a\\nb"').part, { type: 'text', text: 'a\nb' })
  const long = answer('sandbox: tokens=500')
  assert.ok(long.part?.type === 'text' && long.part.text.split(' ').length === 500)
  assert.equal(long.usage?.outputTokens, 500)
  const thinking = answer('sandbox: reasoning')
  assert.equal(thinking.part?.type, 'reasoning')
  assert.equal(thinking.usage?.reasoningTokens, 16)
  assert.equal(answer('sandbox: refusal').stopReason, 'refusal')
  assert.equal(answer('sandbox: no-usage').usage, undefined)
  const cached = answer('sandbox: cached=900 cache-write=50').usage
  assert.deepEqual([cached?.cachedInputTokens, cached?.cacheWriteTokens], [900, 50])
  assert.ok((cached?.inputTokens ?? 0) >= 950)
  assert.equal(answer('x', { metadata: { sandbox: 'say=from metadata' } }).part?.type, 'text')
  assert.equal(answerRequest(ask('x', { sampling: { candidates: 3 } }), 0).response.choices.length, 3)
})

test('output caps and stop sequences end an answer with their reasons', () => {
  const capped = answer('sandbox: tokens=50', { maxOutputTokens: 4 })
  assert.deepEqual([capped.stopReason, capped.usage?.outputTokens], ['length', 4])
  const stopped = answer('sandbox: say=one END two', { stopSequences: ['END'] })
  assert.deepEqual([stopped.stopReason, stopped.stopSequence], ['stop-sequence', 'END'])
  assert.deepEqual(stopped.part, { type: 'text', text: 'one ' })
})

test('a directive that is unknown or out of bounds is refused with a 400', () => {
  for (const line of ['dealy=1ms', 'delay=1h', 'delay=601s', 'tokens=1e9', 'fail=200', 'fail=maybe']) {
    assert.throws(() => readDirectives(`sandbox: ${line}`), Fault, line)
  }
  const played = play('POST', chatPath, chatBody('sandbox: dealy=1ms'))
  assert.equal(played.status, 400)
  assert.match(played.body.toString(), /sandbox: dealy/)
})

test('delays come before the answer and between chunks', () => {
  const body = chatBody('one two three\nsandbox: delay=200ms chunk-delay=50ms', { stream: true })
  const { waits } = play('POST', chatPath, body)
  assert.equal(waits[0], 200)
  assert.ok(waits.length > 3 && waits.slice(1).every((ms) => ms === 50))
})

test('connections are refused, reset, stalled and cut as asked', () => {
  const last = (directive: string, stream = false) =>
    play('POST', chatPath, chatBody(`a b c d e f g\nsandbox: ${directive}`, { stream }))
  for (const kind of ['refuse', 'reset', 'hang']) {
    const played = last(`fail=${kind}`)
    assert.deepEqual([played.last, played.status], [kind, 0])
  }
  for (const stream of [true, false]) {
    assert.equal(last('fail=mid-stream', stream).last, 'reset')
    assert.equal(last('fail=stall', stream).last, 'hang')
    assert.ok(last('fail=mid-stream', stream).body.length > 0)
  }
  assert.throws(() => JSON.parse(last('fail=malformed').body.toString()))
  assert.match(last('fail=malformed', true).body.toString(), /not JSON/)
})

test('embeddings are unit vectors, equal for equal texts, nearer for texts that share words', () => {
  const dot = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 2000 }), (text, dimensions) => {
      const vector = embedText(text, dimensions)
      assert.equal(vector.length, dimensions)
      assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-4)
    }),
    { numRuns: 50 },
  )
  const cat = embedText('the cat sat on the mat', 512)
  assert.ok(dot(cat, embedText('a cat on a mat', 512)) > dot(cat, embedText('quarterly revenue grew', 512)))
  const listed = playJson('POST', '/v1/embeddings', { model: 'e', input: ['a', 'b'], dimensions: 8 })
  assert.ok(Array.isArray(listed['data']) && listed['data'].length === 2)
  const coded = playJson('POST', '/v1/embeddings', {
    model: 'e',
    input: 'a',
    dimensions: 8,
    encoding_format: 'base64',
  })
  const first = (coded['data'] as readonly JsonObject[])[0]
  assert.equal(Buffer.from(String(first?.['embedding']), 'base64').length, 32)
  assert.equal(play('POST', '/v1/embeddings', { input: 'a', dimensions: 5000 }).status, 400)
})

test('moderation flags only what a directive says', () => {
  const results = (input: string) => playJson('POST', '/v1/moderations', { input })['results']
  assert.ok(JSON.stringify(results('hello')).includes('"flagged":false'))
  const flagged = JSON.stringify(results('hello\nsandbox: flag=violence'))
  assert.ok(flagged.includes('"flagged":true') && flagged.includes('"violence":true'))
})

test('the other operations answer in OpenAI’s shapes under any vendor’s prefix', () => {
  const count = playJson('POST', '/v1/messages/count_tokens', {
    model: 'm',
    messages: [{ role: 'user', content: 'hello' }],
  })
  assert.ok(Number(count['input_tokens']) > 0)
  assert.equal(playJson('POST', '/v1/images/generations', { prompt: 'x' })['created'], 1_700_000_000)
  assert.equal(play('POST', '/v1/audio/speech', { input: 'x' }).headers[1], 'audio/wav')
  assert.match(String(playJson('POST', '/openai/v1/audio/transcriptions', '--form')['text']), /6 bytes/)
  assert.equal(playJson('POST', '/v1/files', '--form')['object'], 'file')
  assert.equal(playJson('GET', '/v1/files?limit=1')['object'], 'list')
  assert.equal(playJson('GET', '/v1/files/file-9')['id'], 'file-9')
  assert.match(play('GET', '/v1/files/file-9/content').body.toString(), /sandbox/)
  assert.equal(playJson('DELETE', '/v1/files/file-9')['deleted'], true)
  assert.equal(playJson('POST', '/v1/batches', {})['object'], 'batch')
  assert.equal(playJson('POST', '/v1/batches/b1/cancel')['id'], 'b1')
  assert.equal(playJson('GET', '/v1/batches/b1')['status'], 'completed')
  assert.equal(playJson('GET', '/v1/models')['object'], 'list')
  assert.equal(play('GET', '/v1/nothing').status, 404)
  assert.equal(play('POST', chatPath, 'not json').status, 400)
  const dated = '/openai/deployments/d/chat/completions?api-version=1'
  assert.equal(play('POST', dated, chatBody('x')).status, 200)
})

test('legacy completions answer whole and as a stream', () => {
  const whole = playJson('POST', '/v1/completions', { model: 'm', prompt: 'hello' })
  assert.equal(whole['object'], 'text_completion')
  assert.match(JSON.stringify(whole['choices']), /You said: hello/)
  const options = { model: 'm', prompt: 'hello', stream: true, stream_options: { include_usage: true } }
  const streamed = play('POST', '/v1/completions', options)
  const text = streamed.body.toString()
  assert.ok(text.endsWith('data: [DONE]\n\n') && text.includes('"prompt_tokens"'))
})

test('no request breaks the sandbox: each ends in one answer, and none in an internal error', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('user', 'assistant', 'tool', 'text', 'function', 'hi', 'a'),
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      text,
      fc.constantFrom(null, true, 0, -1, 1e21),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          'role',
          'content',
          'type',
          'text',
          'name',
          'function',
          'parameters',
          'input',
          '__proto__',
        ),
        tie('value'),
        { maxKeys: 4 },
      ),
    ),
  }))
  const fields = [
    'messages',
    'input',
    'contents',
    'tools',
    'tool_choice',
    'system',
    'stream',
    'max_tokens',
    'prompt',
  ]
  const body = fc.oneof(value, fc.dictionary(fc.constantFrom('model', ...fields), value, { maxKeys: 6 }))
  const paths = [
    ...Object.values(generationPaths).flat(),
    ...[
      '/v1/embeddings',
      '/v1/moderations',
      '/v1/completions',
      '/v1/messages/count_tokens',
      '/v1/images/edits',
    ],
  ]
  fc.assert(
    fc.property(fc.constantFrom(...paths), body, (path, sent) => {
      const played = play('POST', path, JSON.stringify(sent))
      assert.ok(played.status < 500, `${path} answered ${played.status}`)
      assert.equal(played.last, 'end')
    }),
    { numRuns: 2000 },
  )
})

test('structured output is valid for its schema', () => {
  const ajv = new Ajv({ strict: false })
  const leaf = fc.oneof(
    fc.record({ type: fc.constant('string'), minLength: fc.nat(20) }),
    fc.record({ type: fc.constantFrom('integer', 'number'), minimum: fc.integer({ min: -50, max: 50 }) }),
    fc
      .integer({ min: -9, max: 9 })
      .map((low) => ({ type: 'integer', exclusiveMinimum: low, maximum: low + 3 })),
    fc.constantFrom<object>(
      { type: 'boolean' },
      { type: 'null' },
      { enum: ['a', 'b'] },
      { const: 7 },
      { type: ['string', 'null'] },
      { anyOf: [{ type: 'null' }, { type: 'integer' }] },
      { type: 'number', multipleOf: 5, minimum: 12 },
      { allOf: [{ type: 'object', required: ['x'], properties: { x: { type: 'string' } } }] },
    ),
  )
  const { schema } = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({
        type: fc.constant('array'),
        items: tie('schema'),
        minItems: fc.nat(3),
      }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('schema'), { maxKeys: 4 }).map((properties) => ({
        type: 'object',
        properties,
        required: Object.keys(properties),
        additionalProperties: false,
      })),
    ),
  }))
  fc.assert(
    fc.property(schema, (generated) => {
      const instance = makeInstance(generated as JsonObject)
      const validate = ajv.compile(generated)
      assert.ok(validate(instance), JSON.stringify({ generated, instance, errors: validate.errors }))
    }),
    { numRuns: 200 },
  )
})

test('recursive and hostile schemas end', () => {
  const tree: JsonObject = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['name', 'children'],
      },
    },
  }
  assert.ok(JSON.stringify(makeInstance(tree)).length < 10_000)
  assert.ok(new Ajv({ strict: false }).validate(tree, makeInstance(tree)))
  makeInstance({ $ref: '#' })
  makeInstance({ $ref: '#/a', a: { $ref: '#/a' } })
  makeInstance({ type: 'array', minItems: 1e9, items: { type: 'array', minItems: 1e9 } })
  makeInstance({ type: 'object', properties: { __proto__: { type: 'string' } }, required: ['constructor'] })
})
