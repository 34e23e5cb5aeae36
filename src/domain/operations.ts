/**
 * The data plane's operations: which method and path, in which dialect, of which traffic class. Everything that
 * depends on an operation reads its row; nothing below enumerates operations.
 *
 * Path segments in braces are parameters; `{model}` is where the model name stands when it is part of the path.
 * `{rest}` takes the remainder of a path. Longest literal prefix wins; rows do not overlap otherwise.
 */
import type { DialectId } from './dialect-id.ts'

/**
 * G generation: read into the canonical form when dialects differ · U unary JSON with a model, OpenAI shape
 * (embeddings, moderations, legacy completions) · M model listing, answered here · P pass-through, metered.
 */
export type TrafficClass = 'G' | 'U' | 'M' | 'P'

/** The surface decides the shape of errors and where the API key may stand. */
export type Surface = 'openai' | 'anthropic' | 'gemini'

export interface Operation {
  readonly id: string
  readonly surface: Surface
  readonly trafficClass: TrafficClass
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** The same operation under other versions of the vendor's API. */
  readonly otherPaths: readonly string[]
  /** The dialect of the bodies, for generation. */
  readonly dialect: DialectId | null
  /** Where the model is named: a JSON body field, a path parameter, a multipart field, or nowhere. */
  readonly model: 'body' | 'path' | 'form' | 'none'
  readonly request: 'json' | 'any' | 'none'
  /** What it starts may use any model of the provider (a batch is a file of requests): all models must be allowed. */
  readonly anyModel: boolean
  /** The provider charges nothing for it. */
  readonly isFree: boolean
  /** How a stream is asked for: body field `stream`, always, or never. */
  readonly stream: 'body' | 'always' | 'never'
  readonly title: string
}

function row(
  id: string,
  trafficClass: TrafficClass,
  methodAndPath: string,
  rest: Partial<Operation> & { readonly title: string },
): Operation {
  const [method, path] = methodAndPath.split(' ') as ['GET' | 'POST' | 'DELETE', string]
  return Object.freeze({
    id,
    surface: 'openai',
    trafficClass,
    method,
    path,
    otherPaths: [],
    dialect: null,
    model: 'body',
    request: 'json',
    anyModel: false,
    isFree: false,
    stream: 'never',
    ...rest,
  })
}

const form = { model: 'form', request: 'any', stream: 'body' } as const
const bare = { model: 'none', request: 'none' } as const

export const operations: readonly Operation[] = Object.freeze([
  row('chat.completions', 'G', 'POST /v1/chat/completions', {
    dialect: 'openai-chat',
    stream: 'body',
    title: 'Create a chat completion',
  }),
  row('responses.create', 'G', 'POST /v1/responses', {
    dialect: 'openai-responses',
    stream: 'body',
    title: 'Create a response',
  }),
  row('messages.create', 'G', 'POST /v1/messages', {
    surface: 'anthropic',
    dialect: 'anthropic-messages',
    stream: 'body',
    title: 'Create a message',
  }),
  row('messages.count-tokens', 'U', 'POST /v1/messages/count_tokens', {
    surface: 'anthropic',
    dialect: 'anthropic-messages',
    isFree: true,
    title: 'Count the tokens of a message',
  }),
  row('gemini.generate', 'G', 'POST /v1beta/models/{model}:generateContent', {
    otherPaths: ['/v1/models/{model}:generateContent'],
    surface: 'gemini',
    dialect: 'gemini',
    model: 'path',
    title: 'Generate content',
  }),
  row('gemini.stream', 'G', 'POST /v1beta/models/{model}:streamGenerateContent', {
    otherPaths: ['/v1/models/{model}:streamGenerateContent'],
    surface: 'gemini',
    dialect: 'gemini',
    model: 'path',
    stream: 'always',
    title: 'Generate content as a stream',
  }),
  row('completions', 'U', 'POST /v1/completions', { stream: 'body', title: 'Create a completion (legacy)' }),
  row('embeddings', 'U', 'POST /v1/embeddings', { title: 'Create embeddings' }),
  row('moderations', 'U', 'POST /v1/moderations', { title: 'Classify content' }),
  row('models.list', 'M', 'GET /v1/models', { ...bare, title: 'List the models that the key may use' }),
  row('models.get', 'M', 'GET /v1/models/{model}', { ...bare, title: 'Describe one model' }),
  row('images.generate', 'P', 'POST /v1/images/generations', { stream: 'body', title: 'Create an image' }),
  row('images.edit', 'P', 'POST /v1/images/edits', { ...form, title: 'Edit an image' }),
  row('images.variation', 'P', 'POST /v1/images/variations', { ...form, title: 'Vary an image' }),
  row('audio.speech', 'P', 'POST /v1/audio/speech', { stream: 'body', title: 'Create speech' }),
  row('audio.transcribe', 'P', 'POST /v1/audio/transcriptions', { ...form, title: 'Transcribe audio' }),
  row('audio.translate', 'P', 'POST /v1/audio/translations', { ...form, title: 'Translate audio' }),
  row('files.create', 'P', 'POST /v1/files', {
    ...form,
    model: 'none',
    stream: 'never',
    title: 'Upload a file',
  }),
  row('files.list', 'P', 'GET /v1/files', { ...bare, title: 'List files' }),
  row('files.get', 'P', 'GET /v1/files/{rest}', { ...bare, title: 'Read a file or its content' }),
  row('files.delete', 'P', 'DELETE /v1/files/{rest}', { ...bare, title: 'Delete a file' }),
  row('batches.create', 'P', 'POST /v1/batches', {
    model: 'none',
    anyModel: true,
    title: 'Create a batch',
  }),
  row('batches.list', 'P', 'GET /v1/batches', { ...bare, title: 'List batches' }),
  row('batches.get', 'P', 'GET /v1/batches/{rest}', { ...bare, title: 'Read a batch' }),
  row('batches.cancel', 'P', 'POST /v1/batches/{rest}', {
    model: 'none',
    request: 'any',
    title: 'Cancel a batch',
  }),
])
