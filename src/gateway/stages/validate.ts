/**
 * Judge the body's shape and read from it what routing and metering need: model, stream, end user, tags.
 * The body itself is not changed. Large ones are read by another thread (`large-body.ts`).
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import type { Operation } from '../../domain/operations.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { type JsonScan, jsonMembers, scanJson } from '../../kernel/json-scan.ts'
import type { GatewayContext } from '../context.ts'
import { type Exchange, headerOf, noBytes } from '../exchange.ts'
import {
  findLongField,
  type LargeBodyAnswer,
  largeBodyBytes,
  openMembers,
  ownFieldBytes,
} from '../large-body.ts'
import { readForm } from '../multipart.ts'
import type { Stage } from '../stage.ts'

const maxModelLength = 200
const maxTags = 16
const maxTagKey = 64
const maxTagValue = 256

export const validate: Stage = (exchange, ctx) => {
  const operation = exchange.operation
  if (operation === null) return 'next'
  if (operation.request === 'json') {
    if (exchange.body.length > largeBodyBytes) {
      readLargeBody(exchange, ctx, operation)
      return 'wait'
    }
    readJsonBody(exchange)
  }
  readOtherPlaces(exchange, operation)
  return 'next'
}

/** Go on with another body: the same request, with something in it masked. */
export function takeBody(exchange: Exchange, body: Buffer): void {
  const { jsonDepth: depth, jsonKeys: keys } = exchange.snapshot.bounds
  const { operation, facts } = exchange
  const scan = scanJson(body, { depth, keys })
  acceptScan(exchange, scan)
  exchange.body = body
  exchange.json = facts === null ? parseObject(body) : openMembers(body, scan)
  if (facts !== null) exchange.facts = { ...facts, sha256: hash('sha256', body, 'base64') }
  readCommonFields(exchange, exchange.json)
  if (operation !== null) readOtherPlaces(exchange, operation)
}

/** What is asked for in path, query, form and headers. */
function readOtherPlaces(exchange: Exchange, operation: Operation): void {
  if (operation.model === 'path') exchange.model = modelOfPath(exchange)
  if (operation.model === 'form') exchange.model = modelOfForm(exchange)
  if (operation.stream === 'always') {
    exchange.stream = true
    exchange.jsonArrayStream = new URLSearchParams(exchange.query).get('alt') !== 'sse'
  }
  const tags = headerOf(exchange.inbound.headers, 'x-gatewright-tags')
  if (tags !== undefined) exchange.tags = mergeTags(readTagHeader(tags), exchange.tags)
}

function readJsonBody(exchange: Exchange): void {
  const { jsonDepth, jsonKeys } = exchange.snapshot.bounds
  // RFC 8259 §8.1. Decoders repair, drop or accept malformed sequences, each in its own way.
  if (!isUtf8(exchange.body)) throw new Fault(faults.malformedJson)
  const scan = scanJson(exchange.body, { depth: jsonDepth, keys: jsonKeys })
  acceptScan(exchange, scan)
  const json = parseObject(exchange.body)
  exchange.json = json
  readCommonFields(exchange, json)
}

function readLargeBody(exchange: Exchange, ctx: GatewayContext, operation: Operation): void {
  const { jsonDepth: depth, jsonKeys: keys } = exchange.snapshot.bounds
  const terms = { depth, keys, operationId: operation.id, tenant: exchange.key?.organizationId ?? '' }
  const { body } = exchange
  exchange.requestBytes = body.length
  exchange.body = noBytes
  exchange.abandon = ctx.largeBodies.read(body, terms, (answer) => {
    if (exchange.outcome !== 'open') return
    try {
      acceptDigest(exchange, answer)
      readOtherPlaces(exchange, operation)
    } catch (error) {
      return exchange.fail(error)
    }
    exchange.proceed()
  })
}

function acceptDigest(exchange: Exchange, answer: LargeBodyAnswer): void {
  if (answer === 'busy') throw new Fault(faults.bodiesHeld, { retryAfterSeconds: 1 })
  if (answer === 'lost') throw new Fault(faults.internal, { internal: 'the reader of large bodies ended' })
  const { scan, facts } = answer.digest
  exchange.body = answer.body
  if (scan === null) throw new Fault(faults.malformedJson)
  acceptScan(exchange, scan)
  if (facts === null) throw new Fault(faults.malformedJson)
  const field = findLongField(scan)
  if (field !== null) {
    const reason = `it may have ${ownFieldBytes} bytes in a body above ${largeBodyBytes}`
    throw new Fault(faults.invalidField, { public: { field, reason }, param: field })
  }
  exchange.facts = facts
  exchange.json = openMembers(exchange.body, scan)
  readCommonFields(exchange, exchange.json)
}

function acceptScan(exchange: Exchange, scan: JsonScan): void {
  const { jsonDepth, jsonKeys } = exchange.snapshot.bounds
  refuse(scan, jsonDepth, jsonKeys)
  refuseNearNames(scan)
  exchange.scan = scan
}

function refuse(scan: JsonScan, depth: number, keys: number): void {
  switch (scan.problem) {
    case 'none':
      return
    case 'too-deep':
      throw new Fault(faults.jsonTooDeep, { public: { limit: depth } })
    case 'too-many-keys':
      throw new Fault(faults.jsonTooManyKeys, { public: { limit: keys } })
    case 'too-many-members':
      throw new Fault(faults.jsonTooManyKeys, { public: { limit: jsonMembers } })
    case 'duplicate-key':
      throw new Fault(faults.duplicateField, { public: { field: scan.duplicate }, param: scan.duplicate })
    case 'not-an-object':
      throw new Fault(faults.malformedJson)
  }
}

/** A body may repeat the model of its path, and name no other. */
function modelOfPath({ pathModel, json }: Exchange): string {
  const model = pathModel.replace(/^models\//, '')
  const named = json?.['model']
  if (named !== undefined && named !== model && named !== `models/${model}`) throw invalidModel()
  return model
}

const decisive: ReadonlyMap<string, string> = new Map(
  ['model', 'stream'].map((name) => [name.toUpperCase(), name]),
)
const longestDecisive = 6

/**
 * Some parsers (Go's among them) take `Model` for `model`, and the last one wins: a name that differs only in case
 * from one that decides what is allowed is a duplicate of it.
 */
function refuseNearNames({ members }: JsonScan): void {
  for (const key of members.keys()) {
    if (key.length > longestDecisive) continue
    const meant = decisive.get(key.toUpperCase())
    if (meant !== undefined && meant !== key)
      throw new Fault(faults.duplicateField, { public: { field: key }, param: meant })
  }
}

function parseObject(body: Buffer): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Fault(faults.malformedJson)
  }
  if (!isJsonObject(parsed)) throw new Fault(faults.malformedJson)
  return parsed
}

function readCommonFields(exchange: Exchange, json: JsonObject): void {
  if (exchange.operation?.model === 'body') exchange.model = modelOf(json)
  if (exchange.operation?.stream === 'body') exchange.stream = streamOf(json)
  const options = json['stream_options']
  exchange.streamUsageAsked = isJsonObject(options) && options['include_usage'] === true
  const metadata = json['metadata']
  const { provenUser } = exchange
  exchange.endUser = firstText(
    provenUser === '' ? json['user'] : provenUser,
    json['safety_identifier'],
    isJsonObject(metadata) ? metadata['user_id'] : '',
  )
  if (isJsonObject(metadata)) exchange.tags = boundTags(Object.entries(metadata))
}

function modelOf(json: JsonObject): string {
  const model = json['model']
  if (model === undefined)
    throw new Fault(faults.missingField, { public: { field: 'model' }, param: 'model' })
  if (typeof model !== 'string' || model === '' || model.length > maxModelLength) throw invalidModel()
  return model
}

function invalidModel(): Fault {
  return new Fault(faults.invalidField, {
    public: { field: 'model', reason: 'it must be a model name' },
    param: 'model',
  })
}

function streamOf(json: JsonObject): boolean {
  const stream = json['stream']
  if (stream === undefined || stream === null) return false
  if (typeof stream === 'boolean') return stream
  throw new Fault(faults.invalidField, {
    public: { field: 'stream', reason: 'it must be true or false' },
    param: 'stream',
  })
}

const formFields: ReadonlySet<string> = new Set(['model', 'stream'])

function modelOfForm(exchange: Exchange): string {
  const contentType = headerOf(exchange.inbound.headers, 'content-type') ?? ''
  const fields = readForm(exchange.body, contentType, formFields)
  if (typeof fields === 'string')
    throw new Fault(faults.invalidField, { public: { field: 'body', reason: fields } })
  const model = fields.get('model')
  if (model === undefined)
    throw new Fault(faults.missingField, { public: { field: 'model' }, param: 'model' })
  if (model.value === '' || model.value.length > maxModelLength) throw invalidModel()
  exchange.formModel = model
  exchange.stream = fields.get('stream')?.value.toLowerCase() === 'true'
  return model.value
}

function firstText(...values: readonly unknown[]): string {
  for (const value of values)
    if (typeof value === 'string' && value !== '') return value.slice(0, maxTagValue)
  return ''
}

function boundTags(entries: Iterable<readonly [string, unknown]>): Record<string, string> {
  const tags: Record<string, string> = Object.create(null) as Record<string, string>
  let count = 0
  for (const [key, value] of entries) {
    if (count === maxTags) break
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue
    tags[key.slice(0, maxTagKey)] = String(value).slice(0, maxTagValue)
    count += 1
  }
  return tags
}

/** Within the bound of tags; those of the header go first. */
function mergeTags(first: Exchange['tags'], second: Exchange['tags']): Exchange['tags'] {
  const others = Object.entries(second).filter(([key]) => !Object.hasOwn(first, key))
  return boundTags([...Object.entries(first), ...others])
}

/** `x-gatewright-tags: team=search, env=prod` */
function readTagHeader(header: string): Record<string, string> {
  const pairs = header.split(',', maxTags).map((pair) => {
    const [key = '', ...value] = pair.split('=')
    return [key.trim(), value.join('=').trim()] as const
  })
  return boundTags(pairs.filter(([key]) => key !== ''))
}
