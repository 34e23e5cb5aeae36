/**
 * Judge the body's shape and read from it what routing and metering need: model, stream, end user, tags.
 * The body itself is not changed.
 */
import { isUtf8 } from 'node:buffer'
import { isJsonObject, type JsonObject } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { type JsonScan, scanJson } from '../../kernel/json-scan.ts'
import { type Exchange, headerOf } from '../exchange.ts'
import { readForm } from '../multipart.ts'
import type { Stage } from '../stage.ts'

const maxModelLength = 200
const maxTags = 16
const maxTagKey = 64
const maxTagValue = 256

export const validate: Stage = (exchange) => {
  const operation = exchange.operation
  if (operation === null) return 'next'
  if (operation.request === 'json') readJsonBody(exchange)
  if (operation.model === 'path') exchange.model = modelOfPath(exchange)
  if (operation.model === 'form') exchange.model = modelOfForm(exchange)
  if (operation.stream === 'always') {
    exchange.stream = true
    exchange.jsonArrayStream = new URLSearchParams(exchange.query).get('alt') !== 'sse'
  }
  const tags = headerOf(exchange.inbound.headers, 'x-gatewright-tags')
  if (tags !== undefined) exchange.tags = mergeTags(readTagHeader(tags), exchange.tags)
  return 'next'
}

function readJsonBody(exchange: Exchange): void {
  const { jsonDepth, jsonKeys } = exchange.snapshot.bounds
  // RFC 8259 §8.1. Decoders repair, drop or accept malformed sequences, each in its own way.
  if (!isUtf8(exchange.body)) throw new Fault(faults.malformedJson)
  const scan = scanJson(exchange.body, { depth: jsonDepth, keys: jsonKeys })
  refuse(scan, jsonDepth, jsonKeys)
  refuseNearNames(scan)
  exchange.scan = scan
  const json = parseObject(exchange.body)
  exchange.json = json
  readCommonFields(exchange, json)
}

function refuse(scan: JsonScan, depth: number, keys: number): void {
  switch (scan.problem) {
    case 'none':
      return
    case 'too-deep':
      throw new Fault(faults.jsonTooDeep, { public: { limit: depth } })
    case 'too-many-keys':
      throw new Fault(faults.jsonTooManyKeys, { public: { limit: keys } })
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
  exchange.endUser = firstText(
    json['user'],
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
