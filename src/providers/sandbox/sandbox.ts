/**
 * The sandbox as an upstream: a request in, steps out. It speaks the dialect that the path names, through the same
 * readers and writers as the gateway, and understands every vendor's path prefix.
 *
 * Pure but for the injected clock. Faults become errors in the shape of the dialect, never exceptions.
 */
import type { CanonicalError, CanonicalEvent, CanonicalRequest } from '../../domain/canonical.ts'
import type { DialectId } from '../../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Dialect, ReadRequestContext, StreamWriter } from '../dialect.ts'
import { readGeminiEmbeddings } from '../embeddings/gemini-embeddings.ts'
import { unaryRoutes } from './answer-unary.ts'
import type { Directives, Failure } from './directives.ts'
import { readDirectives } from './directives.ts'
import { completionsShape } from './legacy-completions.ts'
import { answerRequest } from './reply.ts'
import { streamReply } from './reply-events.ts'
import type { Shape } from './shape.ts'
import {
  type Answer,
  jsonAnswer,
  kindOfStatus,
  type SandboxRequest,
  type Step,
  sendAnswer,
  sendHalf,
  silentFailures,
} from './steps.ts'

export interface SandboxOptions {
  readonly dialects: Readonly<Record<DialectId, Dialect>>
  /** Unix time, milliseconds. */
  readonly now: () => number
}

/** Steps for one request. */
export type Sandbox = (request: SandboxRequest) => Iterator<Step>

interface GenerationRoute {
  readonly pattern: RegExp
  readonly dialect: DialectId | 'completions'
  readonly stream?: boolean
}

const generationRoutes: readonly GenerationRoute[] = [
  { pattern: /\/chat\/completions$/, dialect: 'openai-chat' },
  { pattern: /\/completions$/, dialect: 'completions' },
  { pattern: /\/responses$/, dialect: 'openai-responses' },
  { pattern: /\/messages$/, dialect: 'anthropic-messages' },
  { pattern: /\/models\/([^/]+):generateContent$/, dialect: 'gemini', stream: false },
  { pattern: /\/models\/([^/]+):streamGenerateContent$/, dialect: 'gemini', stream: true },
  { pattern: /\/model\/([^/]+)\/converse$/, dialect: 'bedrock-converse', stream: false },
  { pattern: /\/model\/([^/]+)\/converse-stream$/, dialect: 'bedrock-converse', stream: true },
]

interface Found {
  readonly path: string
  /** Undefined where the path is not one of generation. */
  readonly route: GenerationRoute | undefined
  readonly shape: Shape
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function parseBody(body: Buffer): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Fault(faults.malformedJson)
  }
  if (!isJsonObject(parsed)) throw new Fault(faults.malformedJson)
  return parsed
}

function describeFault(err: unknown): CanonicalError {
  const fault = err instanceof Fault ? err : new Fault(faults.internal)
  return {
    kind: kindOfStatus(fault.status),
    status: fault.status,
    code: fault.code,
    message: `[sandbox] ${fault.publicText}`,
    ...(fault.param === undefined ? {} : { param: fault.param }),
  }
}

function describeFailure(failure: Extract<Failure, { kind: 'status' }>): CanonicalError {
  return {
    kind: kindOfStatus(failure.status),
    status: failure.status,
    code: 'sandbox_failure',
    message: `[sandbox] Failing with ${failure.status}, as asked.`,
  }
}

const brokenStream: CanonicalError = {
  kind: 'overloaded',
  status: 529,
  code: 'sandbox_failure',
  message: '[sandbox] Failing within the stream, as asked.',
}

const malformed: Answer = {
  status: 200,
  contentType: 'application/json',
  body: Buffer.from('{"sandbox": "this is not JSON'),
}

/** Deltas that a stream sends before it breaks off as asked. */
const deltasBeforeFailure = 3

interface Exchange {
  readonly shape: Shape
  readonly request: CanonicalRequest
  readonly directives: Directives
  readonly writer: StreamWriter
}

function bytesOf(written: string | Uint8Array): Buffer {
  return typeof written === 'string'
    ? Buffer.from(written)
    : Buffer.from(written.buffer, written.byteOffset, written.byteLength)
}

function* breakStream(exchange: Exchange, kind: Failure['kind']): Generator<Step> {
  if (kind === 'stream-error') {
    yield { type: 'data', bytes: bytesOf(exchange.shape.writeStreamError(brokenStream)) }
    yield { type: 'end' }
  } else if (kind === 'malformed') {
    yield { type: 'data', bytes: Buffer.from('data: {"sandbox": not JSON\n\n') }
    yield { type: 'end' }
  } else yield { type: kind === 'stall' ? 'hang' : 'reset' }
}

function* streamSteps(exchange: Exchange, events: Iterable<CanonicalEvent>): Generator<Step> {
  const { writer, directives } = exchange
  const failure = directives.fail
  yield {
    type: 'head',
    status: 200,
    headers: ['content-type', writer.contentType, 'cache-control', 'no-cache'],
  }
  let deltas = 0
  for (const event of events) {
    const ends = event.type === 'finish' || deltas >= deltasBeforeFailure
    if (failure !== null && ends) return yield* breakStream(exchange, failure.kind)
    if (event.type === 'delta') {
      if (deltas > 0 && directives.chunkDelayMs > 0) yield { type: 'wait', ms: directives.chunkDelayMs }
      deltas += 1
    }
    const written = writer.write(event)
    if (written.length > 0) yield { type: 'data', bytes: bytesOf(written) }
  }
  yield { type: 'end' }
}

function* failFirst(shape: Shape, directives: Directives): Generator<Step, boolean> {
  if (directives.delayMs > 0) yield { type: 'wait', ms: directives.delayMs }
  const failure = directives.fail
  if (failure === null) return false
  if (failure.kind === 'status') {
    const retry = directives.retryAfterSeconds
    const headers = retry === null ? [] : ['retry-after', String(retry)]
    yield* sendAnswer(jsonAnswer(failure.status, shape.writeError(describeFailure(failure)), headers))
    return true
  }
  const step = silentFailures.get(failure.kind)
  if (step === undefined) return false
  yield step
  return true
}

function* generate(
  shape: Shape,
  body: Buffer,
  options: ReadRequestContext & { readonly nowMs: number },
): Generator<Step> {
  const request = shape.readRequest(parseBody(body), options)
  const { response, directives } = answerRequest(request, options.nowMs)
  if (yield* failFirst(shape, directives)) return
  const ctx = { model: request.model, downgrade: () => undefined, request }
  if (request.stream) {
    const exchange = { shape, request, directives, writer: shape.streamWriter(ctx) }
    return yield* streamSteps(exchange, streamReply(response))
  }
  const kind = directives.fail?.kind
  if (kind === 'malformed') return yield* sendAnswer(malformed)
  const answer = jsonAnswer(200, shape.writeResponse(response, ctx))
  if (kind === undefined) yield* sendAnswer(answer)
  else yield* sendHalf(answer, kind === 'stall' ? 'hang' : 'reset')
}

function matchUnary(method: string, path: string) {
  for (const route of unaryRoutes) {
    if (route.method !== method) continue
    const stem = route.path.replace('/{rest}', '/')
    const at = path.lastIndexOf(stem)
    if (at < 0) continue
    const rest = path.slice(at + stem.length)
    if ((rest !== '') === route.path.endsWith('/{rest}')) return { route, rest: decode(rest) }
  }
  return undefined
}

/** Text that directives of an unary operation stand in. */
function directiveText(json: JsonObject): string {
  const text = json['input'] ?? json['prompt'] ?? ('requests' in json ? readGeminiEmbeddings(json).texts : '')
  return typeof text === 'string' ? text : Array.isArray(text) && typeof text[0] === 'string' ? text[0] : ''
}

function* answerUnary(
  shape: Shape,
  request: SandboxRequest,
  options: { path: string; nowMs: number },
): Generator<Step> {
  const found = matchUnary(request.method, options.path)
  if (found === undefined) {
    throw new Fault(faults.notFound, { public: { method: request.method, path: options.path } })
  }
  const isJson = request.body.length > 0 && request.body[0] === 0x7b
  const json = isJson ? parseBody(request.body) : {}
  const { directives } = readDirectives(directiveText(json))
  if (yield* failFirst(shape, directives)) return
  const nowSeconds = Math.floor(options.nowMs / 1000)
  const answer = found.route.answer({ json, bodyBytes: request.body.length, rest: found.rest, nowSeconds })
  const kind = directives.fail?.kind
  if (kind === 'malformed') yield* sendAnswer(malformed)
  else if (kind !== undefined) yield* sendHalf(answer, kind === 'stall' ? 'hang' : 'reset')
  else yield* sendAnswer(answer)
}

/** The dialect of an operation besides generation. */
function dialectOfPath(path: string): DialectId {
  if (path.endsWith(':batchEmbedContents')) return 'gemini'
  return path.includes('/messages') ? 'anthropic-messages' : 'openai-chat'
}

/** A sandbox that speaks `dialects`. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const shapes: Readonly<Record<GenerationRoute['dialect'], Shape>> = {
    ...options.dialects,
    completions: completionsShape,
  }

  function* answer(request: SandboxRequest, found: Found): Generator<Step> {
    const { path, route, shape } = found
    const nowMs = options.now()
    if (route === undefined || request.method !== 'POST') {
      return yield* answerUnary(shape, request, { path, nowMs })
    }
    const model = route.pattern.exec(path)?.[1]
    const named = model === undefined ? {} : { model: decode(model) }
    const stream = route.stream === undefined ? {} : { stream: route.stream }
    yield* generate(shape, request.body, { ...named, ...stream, nowMs })
  }

  return function* steps(request) {
    const path = request.path.split('?', 1)[0] ?? ''
    const route = generationRoutes.find((candidate) => candidate.pattern.test(path))
    const shape = shapes[route?.dialect ?? dialectOfPath(path)]
    let begun = false
    try {
      for (const step of answer(request, { path, route, shape })) {
        begun ||= step.type === 'head'
        yield step
      }
    } catch (err) {
      const error = describeFault(err)
      // An error after the head can only be shown by breaking off.
      if (begun) yield { type: 'reset' }
      else yield* sendAnswer(jsonAnswer(error.status, shape.writeError(error)))
    }
  }
}
