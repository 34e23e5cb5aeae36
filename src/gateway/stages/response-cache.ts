/**
 * Answers that are given again, for routes that ask for it (`policy.cache`). Exact: the same tenant, application, key
 * environment, operation, headers that reach the provider and body, byte for byte. The row stands behind everything that
 * refuses, so who may no longer ask gets nothing; and an answer is given again only while the deployment that gave it
 * is still a target of the route, unchanged, so that residency holds for what is kept as for what is called.
 *
 * `Cache-Control` is respected, the caller's and the provider's. `x-gatewright-cache` says `hit` (with `Age`), `miss` or `bypass`.
 */
import { createHash } from 'node:crypto'
import type { CachedResponse, ResponseSource } from '../../ports/response-cache.ts'
import { readCacheWishes } from '../cache-control.ts'
import { captureReply } from '../capture.ts'
import type { GatewayContext } from '../context.ts'
import { type Exchange, headerOf } from '../exchange.ts'
import { callerDialect, ownHeaders } from '../respond.ts'
import type { CompiledTarget } from '../snapshot.ts'
import type { Stage } from '../stage.ts'
import { isWholeBody, isWholeStream } from '../whole-answer.ts'

/** Body fields that refer to what the provider keeps, or has it work later: such answers hold once. */
const statefulFields = ['previous_response_id', 'conversation', 'container']

export const findResponse: Stage = (exchange, ctx) => {
  const cache = exchange.route?.terms.cache ?? null
  if (cache === null || exchange.json === null) return 'next'
  const wishes = readCacheWishes(exchange.inbound.headers)
  if (wishes.noStore || !canRepeat(exchange)) {
    exchange.cacheStatus = 'bypass'
    return 'next'
  }
  const key = keyOf(exchange)
  const maxAgeMs = Math.min(wishes.maxAgeMs, cache.ttlMs)
  if (maxAgeMs === 0) {
    exchange.cacheStatus = 'bypass'
    prepareKeeping(exchange, ctx, key)
    return 'next'
  }
  ctx.responses.find(key, (found) => {
    if (exchange.outcome !== 'open') return
    if (found !== null && mayRepeat(exchange, found, ctx.clock.now() - maxAgeMs))
      return replay(exchange, ctx, found)
    exchange.cacheStatus = 'miss'
    prepareKeeping(exchange, ctx, key)
    exchange.proceed()
  })
  return 'wait'
}

/** Streams of legacy completions and Gemini's arrays have no end that could be proved. */
function canRepeat({ stream, jsonArrayStream, operation, json }: Exchange): boolean {
  if (jsonArrayStream || (stream && operation?.trafficClass !== 'G')) return false
  return json?.['background'] !== true && statefulFields.every((field) => (json?.[field] ?? null) === null)
}

/** SHA-256 over all that the answer may depend on; each part with its length, so that none runs into the next. */
function keyOf(exchange: Exchange): string {
  const { key, operation, inbound, route, body, facts } = exchange
  const hash = createHash('sha256')
  const add = (part: string | Uint8Array): void => {
    hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength}:`)
    hash.update(part)
  }
  add(key?.organizationId ?? '')
  add(key?.applicationId ?? '')
  add(key?.environment ?? '')
  add(operation?.id ?? '')
  add(operation?.dialect ?? '')
  add(route?.name ?? '')
  // An answer from where requests may no longer go is not given again.
  add(route?.terms.residency.join(' ') ?? '')
  add(exchange.model)
  add(String(exchange.stream))
  for (let at = 0; at < inbound.headers.length; at += 2) {
    const name = inbound.headers[at] ?? ''
    if (!route?.targets.some(({ deployment }) => deployment.forwardHeaders.has(name))) continue
    add(name)
    add(inbound.headers[at + 1] ?? '')
  }
  // An answer that other guards let pass is not given again.
  add(exchange.guards?.id ?? '')
  add(facts?.sha256 ?? body)
  return hash.digest('base64')
}

/** Young enough, and the deployment that gave it could be asked now. */
function mayRepeat({ route }: Exchange, { answeredAt, source }: CachedResponse, oldest: number): boolean {
  return answeredAt > oldest && route?.targets.some((target) => isSource(target, source)) === true
}

function isSource({ deployment, model }: CompiledTarget, source: ResponseSource): boolean {
  return (
    deployment.id === source.deploymentId &&
    deployment.host === source.host &&
    deployment.snapshot.region === source.region &&
    (model === null || model === source.model)
  )
}

const keptHeaders = new Set([
  'content-type',
  'x-gatewright-deployment',
  'x-gatewright-model',
  'x-gatewright-downgrades',
])

/** As a stream where it was one: the same events in the same bytes. It cost nothing, and is recorded as such. */
function replay(exchange: Exchange, ctx: GatewayContext, found: CachedResponse): void {
  exchange.cacheStatus = 'hit'
  exchange.status = found.status
  exchange.servedModel = found.source.model
  exchange.costMicroUsd = 0
  exchange.responseBytes = found.body.byteLength
  exchange.firstByteAt = ctx.clock.monotonic()
  const age = Math.max(0, Math.floor((ctx.clock.now() - found.answeredAt) / 1000))
  const headers = [...found.headers, ...ownHeaders(exchange)]
  headers.push('x-gatewright-cache', 'hit', 'age', String(age))
  if (exchange.stream) {
    headers.push('cache-control', 'no-cache', 'x-accel-buffering', 'no')
    exchange.reply.head(found.status, headers)
    exchange.reply.write(found.body)
    exchange.reply.end()
  } else exchange.reply.send(found.status, headers, found.body)
  exchange.finish('completed')
}

function prepareKeeping(exchange: Exchange, ctx: GatewayContext, key: string): void {
  const cache = exchange.route?.terms.cache ?? null
  if (cache === null) return
  const captured = captureReply(exchange.reply, { maxBytes: cache.maxEntryBytes, whenFull: 'drop' })
  exchange.reply = captured.reply
  exchange.keepResponse = () => {
    const reply = captured.take()
    const source = sourceOf(exchange)
    const ttlMs = Math.min(cache.ttlMs, exchange.keepAtMostMs)
    if (ttlMs <= 0 || reply === null || source === null || isHeldShort(exchange)) return
    if (!isWhole(exchange, reply.body)) return
    const body = exchange.stream ? withoutKeepAlive(reply.body) : reply.body
    const headers: string[] = []
    for (const name of keptHeaders) {
      const value = headerOf(reply.headers, name)
      if (value !== undefined) headers.push(name, value)
    }
    const answeredAt = ctx.clock.now()
    ctx.responses.keep(key, { status: reply.status, headers, body, answeredAt, source }, ttlMs)
  }
}

function sourceOf({ target, servedModel }: Exchange): ResponseSource | null {
  if (target === null) return null
  const { id, host, snapshot } = target.deployment
  return { deploymentId: id, host, region: snapshot.region, model: servedModel }
}

/** A budget held the answer to a length, and it has that length: another time it may be longer. */
function isHeldShort({ limits, usage }: Exchange): boolean {
  const cap = limits?.request.outputCap ?? null
  return cap !== null && (usage === null || usage.outputTokens >= cap)
}

function isWhole(exchange: Exchange, body: Uint8Array): boolean {
  return exchange.stream ? isWholeStream(callerDialect(exchange), body) : isWholeBody(body)
}

const keepAlive = Buffer.from(': keep-alive\n\n')

/** Comments that were sent while the first token was awaited. */
function withoutKeepAlive(body: Uint8Array): Uint8Array {
  let from = 0
  while (keepAlive.equals(body.subarray(from, from + keepAlive.length))) from += keepAlive.length
  return from === 0 ? body : body.slice(from)
}

/** Finish row: keep what was answered well. */
export const keepResponse: Stage = (exchange) => {
  const { status, outcome, faultCode, keepResponse: keep } = exchange
  exchange.keepResponse = null
  if (outcome === 'completed' && status >= 200 && status < 300 && faultCode === '') keep?.()
  return 'next'
}
