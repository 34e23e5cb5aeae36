/**
 * What one worker counts of its exchanges and of its calls of providers. Cells are found by names of the configuration
 * and kept, so that an exchange costs a few look-ups and additions and allocates nothing. What a caller names (a model
 * that is not there, a user, a tag) becomes no label.
 */
import type { TokenUsage } from '../domain/usage.ts'
import { genAiOperation, genAiProvider, type MetricWriter, metrics, otherValue } from '../telemetry/index.ts'
import type { Exchange, Outcome } from './exchange.ts'
import { grantOf } from './granted-product.ts'
import { CellBook, type CellNames, NamedCells, PlacedCells } from './metric-cells.ts'
import { RequestMetrics } from './request-metrics.ts'
import type { CompiledTarget } from './snapshot.ts'

/** Stands where an exchange has no model, and where it reached no provider. */
const noneValue = 'none'
/** Stands for the provider of an answer that was given again: nothing was asked of anybody, and it cost nothing. */
export const cacheProvider = 'response-cache'

const outcomes: readonly Outcome[] = ['completed', 'failed', 'refused', 'disconnected']
/** By the first digit of the status; 0: none was sent. */
const statusClasses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']
const tokenKinds = [
  ['input', 'text'],
  ['input', 'cached_read'],
  ['input', 'cache_write'],
  ['output', 'text'],
  ['output', 'reasoning'],
] as const

/** A call of a provider. */
export interface ProviderCall {
  readonly exchange: Exchange
  readonly target: CompiledTarget
  /** Monotone milliseconds; 0: it was not made. */
  readonly startedAt: number
}

export class ExchangeMetrics {
  /** What is counted of every request alike. */
  readonly requests: RequestMetrics
  readonly #writer: MetricWriter
  readonly #requests: CellBook<RequestCells>
  readonly #calls: CellBook<CallCells>
  /** By organization and product. */
  readonly #products: CellBook<PlacedCells>
  /** By operation. */
  readonly #overheads: readonly [whole: NamedCells, streamed: NamedCells]
  readonly #faults: NamedCells
  readonly #cache: NamedCells
  readonly #openStreams: number
  #streams = 0

  constructor(writer: MetricWriter) {
    this.requests = new RequestMetrics(writer)
    this.#writer = writer
    this.#requests = new CellBook((names) => requestCells(writer, names))
    this.#calls = new CellBook((names) => callCells(writer, names))
    this.#products = new CellBook(({ operation: organization, model: product }) =>
      productCells(writer, [organization, product]),
    )
    const overheads = (stream: string): NamedCells =>
      new NamedCells((operation) => writer.bind(metrics.overhead, [operation, stream]))
    this.#overheads = [overheads('false'), overheads('true')]
    this.#faults = new NamedCells((code) => writer.bind(metrics.faults, [code]))
    this.#cache = new NamedCells((result) => writer.bind(metrics.cacheRequests, [result]))
    this.#openStreams = writer.bind(metrics.openStreams, [])
    writer.set(this.#openStreams, 0)
  }

  /** An answer begins to be streamed. */
  streamBegan(exchange: Exchange): void {
    if (exchange.isStreaming) return
    exchange.isStreaming = true
    this.#streams += 1
    this.#writer.set(this.#openStreams, this.#streams)
  }

  /** An exchange has ended, and is settled. `end` in monotone milliseconds. Called once. */
  ended(exchange: Exchange, end: number): void {
    const writer = this.#writer
    const { target, faultCode, cacheStatus, inbound, upstreamStartedAt } = exchange
    const operation = exchange.operation?.id ?? otherValue
    const provider = cacheStatus === 'hit' ? cacheProvider : providerOf(target)
    const cells = this.#requests.find(operation, publicModel(exchange), provider)
    const stream = exchange.stream ? 1 : 0
    writer.add(cells.requests.at(placeOf(exchange)), 1)
    writer.observe(metrics.requestDuration, cells.durations.at(stream), (end - inbound.startedAt) / 1000)
    if (faultCode !== '') writer.add(this.#faults.of(faultCode), 1)
    if (cacheStatus !== '') writer.add(this.#cache.of(cacheStatus), 1)
    if (upstreamStartedAt !== 0) {
      const overhead = this.#overheads[stream].of(operation)
      writer.observe(metrics.overhead, overhead, (upstreamStartedAt - inbound.startedAt) / 1000)
    }
    this.requests.ended(exchange, end)
    if (exchange.isStreaming) this.#streamEnded(exchange, cells, end)
    this.#ofProduct(exchange)
    if (target === null) return
    writer.observe(
      metrics.serverDuration,
      cells.served.of(errorOf(exchange)),
      (end - inbound.startedAt) / 1000,
    )
    this.#used(exchange, target, cells)
  }

  /** `outcome`: `ok`, `abandoned`, or the name of a class of failures. `end` as `startedAt`. */
  callEnded({ exchange, target, startedAt }: ProviderCall, outcome: string, end: number): void {
    const cells = this.#callCells(exchange, target)
    this.#writer.add(cells.attempts.of(outcome), 1)
    if (startedAt === 0) return
    this.#writer.observe(metrics.upstreamDuration, cells.durations.of(outcome), (end - startedAt) / 1000)
  }

  /** The first content of a stream came so many milliseconds after the call. */
  firstChunk(exchange: Exchange, target: CompiledTarget, elapsedMs: number): void {
    const { single } = this.#callCells(exchange, target)
    this.#writer.observe(metrics.upstreamFirstChunk, single.at(firstChunkPlace), elapsedMs / 1000)
  }

  #ofProduct(exchange: Exchange): void {
    const { application, costMicroUsd } = exchange
    const productId = grantOf(exchange)?.productId
    if (application === null || productId === undefined) return
    const cells = this.#products.find(application.organizationId, productId, '')
    this.#writer.add(cells.at(productRequestsPlace), 1)
    if (costMicroUsd !== null && costMicroUsd > 0)
      this.#writer.add(cells.at(productCostPlace), costMicroUsd / 1e6)
  }

  #callCells(exchange: Exchange, target: CompiledTarget): CallCells {
    const model = target.model ?? publicModel(exchange)
    return this.#calls.find(exchange.operation?.id ?? otherValue, model, target.deployment.provider.id)
  }

  #streamEnded(exchange: Exchange, { single }: RequestCells, end: number): void {
    const { firstByteAt, inbound, status, outcome, usage } = exchange
    this.#streams -= 1
    this.#writer.set(this.#openStreams, this.#streams)
    if (firstByteAt === 0 || status >= 300) return
    const seconds = (firstByteAt - inbound.startedAt) / 1000
    this.#writer.observe(metrics.firstToken, single.at(firstTokenPlace), seconds)
    if (outcome !== 'completed' || usage === null || usage.estimated || usage.outputTokens < 2) return
    const perToken = (end - firstByteAt) / 1000 / (usage.outputTokens - 1)
    this.#writer.observe(metrics.serverPerToken, single.at(perTokenPlace), perToken)
  }

  #used(exchange: Exchange, target: CompiledTarget, { tokens, single }: RequestCells): void {
    const writer = this.#writer
    const { usage, costMicroUsd } = exchange
    if (costMicroUsd === null) writer.add(single.at(unpricedPlace), 1)
    else if (costMicroUsd > 0) writer.add(single.at(costPlace), costMicroUsd / 1e6)
    if (usage === null) return
    const first = usage.estimated ? tokenKinds.length : 0
    for (let kind = 0; kind < tokenKinds.length; kind += 1) {
      const count = tokensOf(usage, kind)
      if (count > 0) writer.add(tokens.at(first + kind), count)
    }
    if (usage.estimated || usage.inputTokens + usage.outputTokens === 0) return
    const { single: called } = this.#callCells(exchange, target)
    writer.observe(metrics.tokenUsage, called.at(inputUsagePlace), usage.inputTokens)
    writer.observe(metrics.tokenUsage, called.at(outputUsagePlace), usage.outputTokens)
  }
}

/** Of requests, as callers see them. */
interface RequestCells {
  /** By status class and outcome. */
  readonly requests: PlacedCells
  /** Answered whole, and streamed. */
  readonly durations: PlacedCells
  /** Those that were sent to a provider, by what went wrong; empty: nothing. */
  readonly served: NamedCells
  /** By kind: figures of the provider, then estimates. */
  readonly tokens: PlacedCells
  readonly single: PlacedCells
}
const firstTokenPlace = 0
const costPlace = 1
const unpricedPlace = 2
const perTokenPlace = 3

function requestCells(writer: MetricWriter, { operation, model, provider }: CellNames): RequestCells {
  const own = [genAiOperation(operation), genAiProvider(provider), model] as const
  return {
    requests: new PlacedCells(statusClasses.length * outcomes.length, (place) => {
      const status = statusClasses[Math.floor(place / outcomes.length)] ?? noneValue
      const outcome = outcomes[place % outcomes.length] ?? otherValue
      return writer.bind(metrics.requests, [operation, model, provider, status, outcome])
    }),
    durations: new PlacedCells(2, (stream) =>
      writer.bind(metrics.requestDuration, [operation, model, stream === 1 ? 'true' : 'false']),
    ),
    served: new NamedCells((error) => writer.bind(metrics.serverDuration, [...own, error])),
    tokens: new PlacedCells(tokenKinds.length * 2, (place) => {
      const [direction, kind] = tokenKinds[place % tokenKinds.length] ?? [otherValue, otherValue]
      const source = place < tokenKinds.length ? 'provider' : 'estimate'
      return writer.bind(metrics.tokens, [direction, kind, model, provider, source])
    }),
    single: new PlacedCells(4, (place) => {
      if (place === perTokenPlace) return writer.bind(metrics.serverPerToken, own)
      if (place === firstTokenPlace) return writer.bind(metrics.firstToken, [operation, model, provider])
      return writer.bind(place === costPlace ? metrics.cost : metrics.unpriced, [model, provider])
    }),
  }
}

const productRequestsPlace = 0
const productCostPlace = 1

function productCells(writer: MetricWriter, labels: readonly [string, string]): PlacedCells {
  return new PlacedCells(2, (place) =>
    writer.bind(place === productCostPlace ? metrics.productCost : metrics.productRequests, labels),
  )
}

/** Of calls of providers, by the model that is asked for there. */
interface CallCells {
  readonly attempts: NamedCells
  readonly durations: NamedCells
  readonly single: PlacedCells
}
const firstChunkPlace = 0
const inputUsagePlace = 1
const outputUsagePlace = 2

function callCells(writer: MetricWriter, { operation, model, provider }: CellNames): CallCells {
  const own = [genAiOperation(operation), genAiProvider(provider), model] as const
  return {
    attempts: new NamedCells((outcome) => writer.bind(metrics.upstreamAttempts, [model, provider, outcome])),
    durations: new NamedCells((outcome) =>
      writer.bind(metrics.upstreamDuration, [operation, model, provider, outcome]),
    ),
    single: new PlacedCells(3, (place) => {
      if (place === firstChunkPlace)
        return writer.bind(metrics.upstreamFirstChunk, [operation, model, provider])
      return writer.bind(metrics.tokenUsage, [...own, place === inputUsagePlace ? 'input' : 'output'])
    }),
  }
}

/** The name of the route, as the configuration has it: of a pattern the pattern. */
export function publicModel({ route, operation }: Exchange): string {
  if (route !== null) return route.name
  return operation === null || operation.model === 'none' ? noneValue : otherValue
}

/** `error.type` of what did not go well: our own code, or how it ended where there is none. */
function errorOf({ outcome, faultCode }: Exchange): string {
  return outcome === 'completed' ? '' : faultCode || outcome
}

function providerOf(target: CompiledTarget | null): string {
  return target === null ? noneValue : target.deployment.provider.id
}

function placeOf({ status, outcome }: Exchange): number {
  const statusClass = Math.min(statusClasses.length - 1, Math.floor(status / 100))
  return statusClass * outcomes.length + Math.max(0, outcomes.indexOf(outcome))
}

/** Tokens of a kind; parts are taken out of their totals, so that no token counts twice. */
function tokensOf(usage: TokenUsage, kind: number): number {
  switch (kind) {
    case 0:
      return usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens
    case 1:
      return usage.cachedInputTokens
    case 2:
      return usage.cacheWriteTokens
    case 3:
      return usage.outputTokens - usage.reasoningTokens
    default:
      return usage.reasoningTokens
  }
}
