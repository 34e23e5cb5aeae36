/**
 * One attempt's request: which path, which headers, which bytes. Same dialect on both ends: the caller's bytes,
 * with at most the model name, `stream_options` and a cap for a budget's sake edited in place. Different dialects: through the canonical form.
 */
import type { DialectId } from '../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import type { Operation } from '../domain/operations.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { editMembers, type MemberEdit } from '../kernel/json-scan.ts'
import type { BodyStream } from '../ports/upstream-client.ts'
import {
  type Dialect,
  dialects,
  type EmbeddingForm,
  embeddingFormOf,
  readOpenAiEmbeddings,
} from '../providers/index.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { capEdit } from './limits/output-cap.ts'
import { askedModel } from './metered-model.ts'
import { passQuery } from './pass-query.ts'
import type { CompiledTarget } from './snapshot.ts'

export interface OutgoingRequest {
  readonly path: string
  /** Flat name, value list; the credential is added last. */
  readonly headers: string[]
  readonly body: Uint8Array | BodyStream | null
  /** Set when the answer must be translated from this dialect. */
  readonly translateFrom: Dialect | null
  /** Set when the answer is vectors to translate, one for each of `count` texts. */
  readonly embeddings: { readonly form: EmbeddingForm; readonly count: number } | null
  /** Dialect of the upstream's bytes, for metering; null where they carry none. */
  readonly wireDialect: DialectId | null
  /** Usage was asked for on the caller's behalf: the extra chunk stays hidden. */
  readonly hideUsageChunk: boolean
}

/** Build the request for `target`. @throws Fault when the target cannot serve it */
export function buildOutgoing(exchange: Exchange, target: CompiledTarget): OutgoingRequest {
  const operation = exchange.operation
  if (operation === null) throw new TypeError('no operation')
  const model = target.model ?? askedModel(exchange)
  exchange.servedModel = model
  if (operation.dialect !== null && operation.trafficClass === 'G') {
    const dialect = target.deployment.dialectFor(operation.dialect)
    if (dialect !== operation.dialect || exchange.jsonArrayStream)
      return translated(exchange, { target, operation, model }, dialect)
  }
  const name = operation.path.endsWith('{rest}') ? exchange.pathRest : model
  const path = target.deployment.pathFor(operation.id, name, exchange.stream)
  if (path === null) return translatedEmbeddings(exchange, { target, operation, model })
  return passThrough(exchange, { target, operation, model, path })
}

function notServed(exchange: Exchange): Fault {
  const operation = exchange.operation?.id ?? ''
  return new Fault(faults.operationNotServed, {
    public: { model: exchange.model, operation },
    param: 'model',
  })
}

interface Parts {
  readonly target: CompiledTarget
  readonly operation: Operation
  readonly model: string
}

function passThrough(exchange: Exchange, parts: Parts & { readonly path: string }): OutgoingRequest {
  const { target, operation } = parts
  const hideUsageChunk = wantsHiddenUsage(exchange, parts)
  // JSON is judged as UTF-8; no charset of the caller's may make the provider read other words in it.
  const given = operation.request === 'json' ? undefined : headerOf(exchange.inbound.headers, 'content-type')
  const contentType = given ?? 'application/json'
  return {
    path: operation.trafficClass === 'P' ? passQuery(parts.path, exchange.query) : parts.path,
    headers: requestHeaders(exchange, target, operation.request === 'none' ? null : contentType),
    body: passThroughBody(exchange, parts, hideUsageChunk),
    translateFrom: null,
    embeddings: null,
    wireDialect: operation.dialect ?? (operation.surface === 'openai' ? 'openai-chat' : null),
    hideUsageChunk,
  }
}

const usageOnStreams = new Set(['chat.completions', 'completions'])

function wantsHiddenUsage(exchange: Exchange, { target, operation }: Parts): boolean {
  return (
    exchange.stream &&
    !exchange.streamUsageAsked &&
    usageOnStreams.has(operation.id) &&
    target.deployment.provider.quirks.requestStreamUsage === true
  )
}

function passThroughBody(
  exchange: Exchange,
  parts: Parts,
  hideUsageChunk: boolean,
): Uint8Array | BodyStream | null {
  const { operation, model } = parts
  if (operation.request === 'none') return null
  if (exchange.bodyPending) return inboundStream(exchange)
  exchange.requestBytes = exchange.body.length
  if (operation.model === 'form') return editFormModel(exchange, model)
  if (exchange.scan === null) return exchange.body
  const edits: MemberEdit[] = []
  const cap = exchange.limits?.request.outputCap ?? null
  const { quirks } = parts.target.deployment.provider
  if (cap !== null) edits.push(capEdit(cap, { operation, json: exchange.json, quirks }))
  if (operation.model === 'body' && model !== exchange.model)
    edits.push({ key: 'model', json: JSON.stringify(model) })
  if (hideUsageChunk) edits.push({ key: 'stream_options', json: withIncludeUsage(exchange) })
  return edits.length === 0 ? exchange.body : editMembers(exchange.body, exchange.scan, edits)
}

function withIncludeUsage(exchange: Exchange): string {
  const options = exchange.json?.['stream_options']
  return JSON.stringify({ ...(isJsonObject(options) ? options : {}), include_usage: true })
}

function editFormModel(exchange: Exchange, model: string): Uint8Array {
  const field = exchange.formModel
  if (field === null || model === exchange.model) return exchange.body
  return Buffer.concat([
    exchange.body.subarray(0, field.start),
    Buffer.from(model),
    exchange.body.subarray(field.end),
  ])
}

/** The caller's body, straight from the wire to the upstream. */
function inboundStream(exchange: Exchange): BodyStream {
  const { inbound } = exchange
  return {
    length: inbound.contentLength,
    start: (sink) =>
      inbound.streamBody(exchange.snapshot.bounds.uploadBytes, {
        data: (chunk) => {
          exchange.requestBytes += chunk.length
          sink.data(chunk)
        },
        end: () => sink.end(),
        failure: (reason) => {
          exchange.bodyFailure = reason ?? 'malformed'
          sink.failure(reason)
        },
      }),
    pause: () => inbound.pauseBody(),
    resume: () => inbound.resumeBody(),
  }
}

function translated(
  exchange: Exchange,
  { target, operation, model }: Parts,
  dialect: DialectId,
): OutgoingRequest {
  const to = dialects[dialect]
  if (operation.dialect === null || exchange.json === null)
    throw new TypeError('a generation request has a dialect')
  const path = target.deployment.generationPath(dialect, model, exchange.stream)
  if (path === null) throw notServed(exchange)
  exchange.canonical ??= dialects[operation.dialect].readRequest(exchange.json, {
    model: exchange.model,
    stream: exchange.stream,
  })
  exchange.downgrades = []
  const cap = exchange.limits?.request.outputCap ?? null
  const request = {
    ...exchange.canonical,
    ...(cap === null ? {} : { maxOutputTokens: cap }),
    streamUsage: exchange.stream && target.deployment.provider.quirks.requestStreamUsage === true,
  }
  const json = to.writeRequest(request, {
    model,
    quirks: target.deployment.provider.quirks,
    downgrade: (downgrade) => exchange.downgrades.push(downgrade),
  })
  return { ...ofTranslated(exchange, target, { to, json }), path }
}

function ofTranslated(
  exchange: Exchange,
  target: CompiledTarget,
  { to, json }: { readonly to: Dialect; readonly json: JsonObject },
): Omit<OutgoingRequest, 'path'> {
  exchange.requestBytes = exchange.body.length
  return {
    headers: requestHeaders(exchange, target, 'application/json'),
    body: Buffer.from(JSON.stringify(json)),
    translateFrom: to,
    embeddings: null,
    wireDialect: to.id,
    hideUsageChunk: false,
  }
}

/** For providers that have embeddings in another form than the caller's. @throws Fault where there are none */
function translatedEmbeddings(exchange: Exchange, { target, operation, model }: Parts): OutgoingRequest {
  const { dialect } = target.deployment
  const form = operation.id === 'embeddings' ? embeddingFormOf(dialect) : undefined
  const path = form === undefined ? null : target.deployment.pathFor(form.pathId, model, false)
  if (form === undefined || path === null || exchange.json === null) throw notServed(exchange)
  exchange.downgrades = []
  const request = readOpenAiEmbeddings(exchange.json, form, {
    downgrade: (downgrade) => exchange.downgrades.push(downgrade),
  })
  const json = form.writeRequest(request, model)
  const embeddings = { form, count: request.texts.length }
  return { ...ofTranslated(exchange, target, { to: dialects[dialect], json }), path, embeddings }
}

/** Constant headers of the deployment, the content type, and what the vendor's allow-list lets through. */
function requestHeaders(exchange: Exchange, target: CompiledTarget, contentType: string | null): string[] {
  const { headers: own, forwardHeaders } = target.deployment
  const headers: string[] = []
  if (contentType !== null) headers.push('content-type', contentType)
  const received = exchange.inbound.headers
  if (forwardHeaders.size > 0) {
    for (let at = 0; at < received.length; at += 2) {
      const name = received[at] ?? ''
      if (forwardHeaders.has(name)) headers.push(name, received[at + 1] ?? '')
    }
  }
  for (let at = 0; at < own.length; at += 2) {
    const name = own[at] ?? ''
    if (!forwardHeaders.has(name) || headerOf(received, name) === undefined)
      headers.push(name, own[at + 1] ?? '')
  }
  headers.push(
    'accept',
    exchange.stream ? 'text/event-stream' : 'application/json',
    'user-agent',
    'gatewright',
  )
  return headers
}
