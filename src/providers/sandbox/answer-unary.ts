/**
 * The operations besides generation that the sandbox serves in OpenAI's shapes: embeddings, moderations, token counts,
 * images, audio, files, batches, model list. Answers depend on the request alone; nothing is kept.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { encodeVector } from '../embeddings/encode-vector.ts'
import { readGeminiEmbeddings } from '../embeddings/gemini-embeddings.ts'
import { readDirectives } from './directives.ts'
import { defaultDimensions, embedText, hashText, maxDimensions } from './embedding.ts'
import { countTokens } from './reply.ts'
import { type Answer, jsonAnswer } from './steps.ts'

/** What an unary operation gets to see. */
export interface UnaryRequest {
  /** Parsed JSON body; empty for uploads and bodiless requests. */
  readonly json: JsonObject
  readonly bodyBytes: number
  /** The path behind the operation's own, decoded: `file-1/content`. */
  readonly rest: string
  readonly nowSeconds: number
}

export type AnswerUnary = (request: UnaryRequest) => Answer

const maxInputs = 2048

function invalid(field: string, reason: string): never {
  throw new Fault(faults.invalidField, { public: { field, reason }, param: field })
}

function modelOf(json: JsonObject): string {
  return typeof json['model'] === 'string' ? json['model'] : 'sandbox'
}

/** OpenAI's `input`: text, list of texts, list of token numbers, or list of such lists. */
function readInputs(input: JsonValue | undefined): readonly string[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input) || input.length === 0) return invalid('input', 'expected text or a list')
  if (input.length > maxInputs) return invalid('input', `at most ${maxInputs} entries`)
  if (typeof input[0] === 'number') return [input.join(' ')]
  return input.map((item: JsonValue) => {
    if (typeof item === 'string') return item
    if (Array.isArray(item)) return item.join(' ')
    return isJsonObject(item) && typeof item['text'] === 'string' ? item['text'] : ''
  })
}

function checkDimensions(value: JsonValue, field: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxDimensions)
    return value
  return invalid(field, `expected a whole number from 1 to ${maxDimensions}`)
}

const embeddings: AnswerUnary = ({ json }) => {
  const inputs = readInputs(json['input'])
  const dimensions = checkDimensions(json['dimensions'] ?? defaultDimensions, 'dimensions')
  const base64 = json['encoding_format'] === 'base64'
  const data = inputs.map((text, index) => {
    const vector = embedText(text, dimensions)
    return { object: 'embedding', index, embedding: base64 ? encodeVector(vector) : [...vector] }
  })
  const tokens = countAll(inputs)
  return jsonAnswer(200, {
    object: 'list',
    data,
    model: modelOf(json),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  })
}

function countAll(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + countTokens(text), 0)
}

const geminiEmbeddings: AnswerUnary = ({ json }) => {
  const { texts, dimensions } = readGeminiEmbeddings(json)
  const size = checkDimensions(dimensions ?? defaultDimensions, 'requests[0].outputDimensionality')
  const { directives } = readDirectives(texts[0] ?? '')
  return jsonAnswer(200, {
    embeddings: texts.map((text) => ({ values: [...embedText(text, size)] })),
    ...(directives.noUsage ? {} : { usageMetadata: { promptTokenCount: countAll(texts) } }),
  })
}

const categories = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
] as const

function moderate(text: string): object {
  const { directives } = readDirectives(text)
  const entries = categories.map((category) => [category, category === directives.flag] as const)
  return {
    flagged: entries.some(([, hit]) => hit),
    categories: Object.fromEntries(entries),
    category_scores: Object.fromEntries(entries.map(([name, hit]) => [name, hit ? 0.99 : 0.0001])),
    category_applied_input_types: Object.fromEntries(entries.map(([name]) => [name, ['text']])),
  }
}

const moderations: AnswerUnary = ({ json }) => {
  const inputs = readInputs(json['input'])
  const id = `modr-sandbox-${hashText(inputs.join('\n')).toString(16)}`
  return jsonAnswer(200, { id, model: modelOf(json), results: inputs.map(moderate) })
}

/** Sum over every text below `value`. Bound: 64 levels. */
function countTexts(value: JsonValue | undefined, depth = 0): number {
  if (typeof value === 'string') return countTokens(value)
  if (depth > 64 || typeof value !== 'object' || value === null) return 0
  const children: readonly (JsonValue | undefined)[] = Array.isArray(value) ? value : Object.values(value)
  return children.reduce<number>((sum, child) => sum + countTexts(child, depth + 1), 0)
}

const countMessageTokens: AnswerUnary = ({ json }) => {
  if (!Array.isArray(json['messages'])) return invalid('messages', 'expected a list')
  const total = countTexts(json['messages']) + countTexts(json['system']) + countTexts(json['tools'])
  return jsonAnswer(200, { input_tokens: total })
}

/** One grey pixel. */
const pixelPng =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg=='

const images: AnswerUnary = ({ json, nowSeconds }) => {
  const count = typeof json['n'] === 'number' ? Math.min(Math.max(Math.trunc(json['n']), 1), 10) : 1
  const data = Array.from({ length: count }, () => ({
    b64_json: pixelPng,
    revised_prompt: '[sandbox] one grey pixel',
  }))
  const input = countTexts(json['prompt'])
  const usage = {
    input_tokens: input,
    output_tokens: count,
    total_tokens: input + count,
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
  }
  return jsonAnswer(200, { created: nowSeconds, data, usage })
}

/** A tenth of a second of silence: 8 kHz, 8 bit, mono (RIFF WAVE). */
function writeSilence(): Buffer {
  const samples = 800
  const wave = Buffer.alloc(44 + samples, 0x80)
  wave.write('RIFF', 0)
  wave.writeUInt32LE(36 + samples, 4)
  wave.write('WAVEfmt ', 8)
  wave.writeUInt32LE(16, 16)
  wave.writeUInt16LE(1, 20)
  wave.writeUInt16LE(1, 22)
  wave.writeUInt32LE(8000, 24)
  wave.writeUInt32LE(8000, 28)
  wave.writeUInt16LE(1, 32)
  wave.writeUInt16LE(8, 34)
  wave.write('data', 36)
  wave.writeUInt32LE(samples, 40)
  return wave
}

const speech: AnswerUnary = () => ({ status: 200, contentType: 'audio/wav', body: writeSilence() })

const transcription: AnswerUnary = ({ bodyBytes }) =>
  jsonAnswer(200, {
    text: `[sandbox] I heard ${bodyBytes} bytes.`,
    usage: { type: 'tokens', input_tokens: 1, output_tokens: 8, total_tokens: 9 },
  })

function describeFile(id: string, bytes: number, nowSeconds: number): object {
  return {
    id,
    object: 'file',
    bytes,
    created_at: nowSeconds,
    filename: 'sandbox.jsonl',
    purpose: 'batch',
    status: 'processed',
  }
}

const emptyList: AnswerUnary = () => jsonAnswer(200, { object: 'list', data: [], has_more: false })
const fileCreate: AnswerUnary = ({ bodyBytes, nowSeconds }) =>
  jsonAnswer(200, describeFile('file-sandbox', bodyBytes, nowSeconds))
const fileGet: AnswerUnary = ({ rest, nowSeconds }) =>
  rest.endsWith('/content')
    ? { status: 200, contentType: 'application/octet-stream', body: Buffer.from('[sandbox] file content\n') }
    : jsonAnswer(200, describeFile(rest, 0, nowSeconds))
const fileDelete: AnswerUnary = ({ rest }) => jsonAnswer(200, { id: rest, object: 'file', deleted: true })

function describeBatch(id: string, status: string, nowSeconds: number): object {
  return {
    id,
    object: 'batch',
    endpoint: '/v1/chat/completions',
    input_file_id: 'file-sandbox',
    completion_window: '24h',
    status,
    created_at: nowSeconds,
    request_counts: { total: 0, completed: 0, failed: 0 },
  }
}

const batchCreate: AnswerUnary = ({ nowSeconds }) =>
  jsonAnswer(200, describeBatch('batch_sandbox', 'validating', nowSeconds))
const batchGet: AnswerUnary = ({ rest, nowSeconds }) =>
  jsonAnswer(200, describeBatch(rest, 'completed', nowSeconds))
const batchCancel: AnswerUnary = ({ rest, nowSeconds }) =>
  jsonAnswer(200, describeBatch(rest.replace(/\/cancel$/, ''), 'cancelling', nowSeconds))

const models: AnswerUnary = ({ nowSeconds }) =>
  jsonAnswer(200, {
    object: 'list',
    data: [{ id: 'sandbox', object: 'model', created: nowSeconds, owned_by: 'gatewright' }],
  })

export interface UnaryRoute {
  readonly method: string
  /** End of the path; `{rest}` takes what follows. */
  readonly path: string
  readonly answer: AnswerUnary
}

/** Matched in order against the end of a path, so that every vendor's prefix is understood. */
export const unaryRoutes: readonly UnaryRoute[] = [
  { method: 'POST', path: '/embeddings', answer: embeddings },
  { method: 'POST', path: ':batchEmbedContents', answer: geminiEmbeddings },
  { method: 'POST', path: '/moderations', answer: moderations },
  { method: 'POST', path: '/messages/count_tokens', answer: countMessageTokens },
  { method: 'POST', path: '/images/generations', answer: images },
  { method: 'POST', path: '/images/edits', answer: images },
  { method: 'POST', path: '/images/variations', answer: images },
  { method: 'POST', path: '/audio/speech', answer: speech },
  { method: 'POST', path: '/audio/transcriptions', answer: transcription },
  { method: 'POST', path: '/audio/translations', answer: transcription },
  { method: 'POST', path: '/files', answer: fileCreate },
  { method: 'GET', path: '/files', answer: emptyList },
  { method: 'GET', path: '/files/{rest}', answer: fileGet },
  { method: 'DELETE', path: '/files/{rest}', answer: fileDelete },
  { method: 'POST', path: '/batches', answer: batchCreate },
  { method: 'GET', path: '/batches', answer: emptyList },
  { method: 'GET', path: '/batches/{rest}', answer: batchGet },
  { method: 'POST', path: '/batches/{rest}', answer: batchCancel },
  { method: 'GET', path: '/models', answer: models },
]
