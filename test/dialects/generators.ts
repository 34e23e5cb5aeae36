/** Random canonical requests, responses and streams, and random unknown fields in bodies of a dialect. */
import fc from 'fast-check'
import type {
  CanonicalEvent,
  CanonicalRequest,
  CanonicalResponse,
  Message,
  Part,
  StopReason,
} from '../../src/domain/canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/domain/json.ts'
import type { TokenUsage } from '../../src/domain/usage.ts'

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const name = fc.stringMatching(/^[a-z][a-z_]{0,11}$/)
const argumentsText = fc
  .dictionary(name, fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3 })
  .map((value) => JSON.stringify(value))

const textPart = text.map((value): Part => ({ type: 'text', text: value }))
const imagePart = fc
  .oneof(
    fc.record({ kind: fc.constant('url' as const), url: fc.webUrl() }),
    fc.record({
      kind: fc.constant('base64' as const),
      mediaType: fc.constantFrom('image/png', 'image/jpeg'),
      data: fc.base64String({ minLength: 4, maxLength: 16 }),
    }),
  )
  .map((source): Part => ({ type: 'image', source }))

interface Call {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

const call = fc.record<Call>({ id: fc.stringMatching(/^call_[a-z0-9]{6}$/), name, arguments: argumentsText })

/** A user turn, an assistant turn and, where it calls tools, their results. */
const exchange = fc
  .record({
    asked: fc.array(fc.oneof(textPart, imagePart), { minLength: 1, maxLength: 3 }),
    said: fc.option(textPart, { nil: undefined }),
    calls: fc.uniqueArray(call, { maxLength: 3, selector: (one) => one.id }),
    result: text,
  })
  .map(({ asked, said, calls, result }): readonly Message[] => {
    const made = calls.map((one): Part => ({ type: 'tool-call', ...one }))
    const parts: readonly Part[] = said === undefined ? made : [said, ...made]
    const results = calls.map((one): Message => {
      const content: readonly Part[] = [{ type: 'text', text: result }]
      return { role: 'tool', parts: [{ type: 'tool-result', callId: one.id, name: one.name, content }] }
    })
    const answered: readonly Message[] = parts.length > 0 ? [{ role: 'assistant', parts }] : []
    return [{ role: 'user', parts: asked }, ...answered, ...results]
  })

const messages = fc
  .record({
    system: fc.option(textPart, { nil: undefined }),
    exchanges: fc.array(exchange, { minLength: 1, maxLength: 3 }),
  })
  .map(({ system, exchanges }): readonly Message[] => {
    const leading: readonly Message[] = system === undefined ? [] : [{ role: 'system', parts: [system] }]
    return [...leading, ...exchanges.flat()]
  })

const tool = fc.record({
  name,
  description: text,
  parameters: fc.constant({ type: 'object', properties: { a: { type: 'string' } } } as JsonObject),
})

export const canonicalRequest: fc.Arbitrary<CanonicalRequest> = fc.record(
  {
    model: fc.constant('m'),
    messages,
    tools: fc.uniqueArray(tool, { maxLength: 2, selector: (one) => one.name }),
    builtinTools: fc.constant([]),
    toolChoice: fc.constantFrom(
      { type: 'auto' } as const,
      { type: 'required' } as const,
      { type: 'none' } as const,
    ),
    parallelToolCalls: fc.boolean(),
    output: fc.constantFrom(
      { type: 'text' } as const,
      { type: 'json-schema', name: 'n', schema: { type: 'object' } } as const,
    ),
    reasoning: fc.record({ effort: fc.constantFrom('low', 'medium', 'high') }),
    sampling: fc.record(
      {
        temperature: fc.double({ min: 0, max: 1, noNaN: true }),
        topP: fc.double({ min: 0, max: 1, noNaN: true }),
      },
      { requiredKeys: [] },
    ),
    maxOutputTokens: fc.integer({ min: 1, max: 64_000 }),
    stopSequences: fc.oneof(fc.constant([]), fc.array(text, { minLength: 1, maxLength: 3 })),
    stream: fc.boolean(),
    endUser: name,
  },
  { requiredKeys: ['model', 'messages', 'tools', 'builtinTools', 'sampling', 'stopSequences', 'stream'] },
)

const count = fc.nat({ max: 10_000 })
export const usage: fc.Arbitrary<TokenUsage> = fc
  .tuple(count, count, count, count, count)
  .map(([plain, cached, written, visible, reasoning]) => ({
    inputTokens: plain + cached + written,
    outputTokens: visible + reasoning,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    reasoningTokens: reasoning,
    estimated: false,
  }))

const answer = fc
  .record({
    thought: fc.option(text, { nil: undefined }),
    said: fc.option(text, { nil: undefined }),
    calls: fc.uniqueArray(call, { maxLength: 3, selector: (one) => one.id }),
  })
  .filter(({ said, calls }) => said !== undefined || calls.length > 0)

/** What the answer says, and the reason that goes with it. */
function partsOf({
  thought,
  said,
  calls,
}: {
  thought: string | undefined
  said: string | undefined
  calls: Call[]
}): {
  readonly parts: readonly Part[]
  readonly stopReason: StopReason
} {
  const parts: Part[] = []
  if (thought !== undefined) parts.push({ type: 'reasoning', text: thought })
  if (said !== undefined) parts.push({ type: 'text', text: said })
  for (const one of calls) parts.push({ type: 'tool-call', ...one })
  return { parts, stopReason: calls.length > 0 ? 'tool-calls' : 'stop' }
}

export const canonicalResponse: fc.Arbitrary<CanonicalResponse> = fc
  .tuple(answer, usage)
  .map(([said, figures]) => ({
    id: 'id_1',
    model: 'm',
    created: 1_700_000_000,
    choices: [{ index: 0, ...partsOf(said) }],
    usage: figures,
  }))

/** The same answer as events, its texts cut in two. */
export function eventsOf(response: CanonicalResponse): CanonicalEvent[] {
  const { id, model, created } = response
  const events: CanonicalEvent[] = [{ type: 'start', id, model, created }]
  const [choice] = response.choices
  choice?.parts.forEach((part, at) => {
    const where = { choice: 0, part: at }
    if (part.type === 'tool-call') {
      events.push({ type: 'part-start', ...where, kind: 'tool-call', callId: part.id, name: part.name })
    } else if (part.type === 'text' || part.type === 'reasoning' || part.type === 'refusal') {
      events.push({ type: 'part-start', ...where, kind: part.type })
    } else return
    const whole = part.type === 'tool-call' ? part.arguments : part.text
    const half = Math.ceil(whole.length / 2)
    for (const piece of [whole.slice(0, half), whole.slice(half)]) {
      if (piece !== '') events.push({ type: 'delta', ...where, text: piece })
    }
    events.push({ type: 'part-end', ...where })
  })
  events.push({ type: 'finish', choice: 0, stopReason: choice?.stopReason ?? 'stop' })
  if (response.usage !== undefined) events.push({ type: 'usage', usage: response.usage })
  events.push({ type: 'end' })
  return events
}

/** Every object in a body, as paths. */
function objectPaths(
  value: JsonValue | undefined,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  if (Array.isArray(value))
    return value.flatMap((entry: JsonValue, at: number) => objectPaths(entry, [...path, at]))
  if (!isJsonObject(value)) return []
  return [path, ...Object.entries(value).flatMap(([key, entry]) => objectPaths(entry, [...path, key]))]
}

function inserted(
  value: JsonValue,
  path: readonly (string | number)[],
  field: readonly [string, JsonValue],
): JsonValue {
  const [key, ...rest] = path
  if (key === undefined) return { ...(value as JsonObject), [field[0]]: field[1] }
  if (Array.isArray(value)) {
    return value.map((entry: JsonValue, at: number) => (at === key ? inserted(entry, rest, field) : entry))
  }
  const object = value as JsonObject
  return { ...object, [key]: inserted(object[String(key)] ?? null, rest, field) }
}

/** A name that no API uses, in the one spelling that every API leaves alone. */
export const unknownField = 'zzUnknown'

/** The body with one field that no API knows, at a random place outside the names of a JSON Schema. */
export function withUnknownField(
  body: JsonObject,
): fc.Arbitrary<{ readonly body: JsonObject; readonly path: string }> {
  const paths = objectPaths(body).filter((path) => path.at(-1) !== 'properties')
  const value = fc.constantFrom<JsonValue>('v', 7, true, { a: 1 }, ['b'])
  return fc.tuple(fc.constantFrom(...paths), value).map(([path, entry]) => ({
    body: inserted(body, path, [unknownField, entry]) as JsonObject,
    path: path.join('.'),
  }))
}

function valuePaths(
  value: JsonValue | undefined,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  const own = path.length === 0 ? [] : [path]
  if (Array.isArray(value)) {
    return [...own, ...value.flatMap((entry: JsonValue, at: number) => valuePaths(entry, [...path, at]))]
  }
  if (!isJsonObject(value)) return own
  return [...own, ...Object.entries(value).flatMap(([key, entry]) => valuePaths(entry, [...path, key]))]
}

function replaced(value: JsonValue, path: readonly (string | number)[], entry: JsonValue): JsonValue {
  const [key, ...rest] = path
  if (key === undefined) return entry
  if (Array.isArray(value)) {
    return value.map((one: JsonValue, at: number) => (at === key ? replaced(one, rest, entry) : one))
  }
  const object = value as JsonObject
  return { ...object, [key]: replaced(object[String(key)] ?? null, rest, entry) }
}

const hostileValue: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    '',
    'x',
    -1,
    1.5,
    true,
    [],
    {},
    [[]],
    [null],
    ['x'],
    [{}],
    { type: 'x' },
    { text: 1 },
  ),
  fc.constant(JSON.parse('{"__proto__":{"a":1},"constructor":1,"type":"text"}') as JsonValue),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
)

/** The body with some of its values replaced by anything at all. */
export function hostile(body: JsonObject): fc.Arbitrary<JsonObject> {
  const change = fc.tuple(fc.constantFrom(...valuePaths(body)), hostileValue)
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let out: JsonValue = body
    for (const [path, entry] of changes) {
      // A path may be gone after an earlier change.
      if (valuePaths(out).some((one) => one.join('.') === path.join('.'))) out = replaced(out, path, entry)
    }
    return out as JsonObject
  })
}
