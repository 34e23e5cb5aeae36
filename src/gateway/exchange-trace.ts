/**
 * The trace of one exchange while it is under way: its place in the caller's trace, whether it is in the sample, and what
 * its calls came to. There is one only where tracing is on. Ids and the decision are made when somebody first asks.
 */
import type { TokenUsage } from '../domain/usage.ts'
import {
  isFailed,
  isWithinRatio,
  type TraceContext,
  type TracedCall,
  type TraceIds,
  type TraceRecord,
  writeTraceparent,
} from '../tracing/index.ts'
import { findFinishReason, findResponseModel } from './answer-facts.ts'
import type { CompiledTracing } from './compiled-tracing.ts'
import type { CallFacts, CallTracing, Exchange, ExchangeTracing } from './exchange.ts'
import { publicModel } from './exchange-metrics.ts'

/** More calls of one exchange are counted by `x-gatewright-attempts`, and have no span. */
const maxCalls = 64

class CallTrace implements CallTracing {
  readonly spanId: string
  readonly target: CallFacts['target']
  readonly model: string
  readonly startedAt: number
  endedAt = 0
  firstChunkAt = 0
  status = 0
  outcome = ''
  answered = false
  #responseModel = ''
  #finishReason = ''
  #hasLooked = false
  readonly #readsAnswer: boolean

  /** @param readsAnswer it is in the sample, so that a look at each piece of its answer is worth it */
  constructor(spanId: string, call: CallFacts, readsAnswer: boolean) {
    this.spanId = spanId
    this.#readsAnswer = readsAnswer
    this.target = call.target
    this.model = call.model
    this.startedAt = call.startedAt
  }

  look(chunk: Buffer): void {
    if (!this.#readsAnswer) return
    if (!this.#hasLooked) this.#responseModel = findResponseModel(chunk)
    this.#hasLooked = true
    const reason = findFinishReason(chunk)
    if (reason !== '') this.#finishReason = reason
  }

  end(outcome: string, at: number): void {
    if (this.endedAt !== 0) return
    this.endedAt = at
    this.outcome = outcome
  }

  /** `from`: when the exchange began. */
  told(from: number): TracedCall {
    const { deployment } = this.target
    return {
      spanId: this.spanId,
      start: rounded(this.startedAt - from),
      end: rounded(this.endedAt - from),
      firstChunk: this.firstChunkAt === 0 ? null : rounded(this.firstChunkAt - from),
      provider: deployment.provider.id,
      deployment: deployment.slug,
      host: deployment.origin.host,
      port: deployment.origin.port,
      model: this.model,
      responseModel: this.#responseModel,
      finishReason: this.#finishReason,
      status: this.status,
      outcome: this.outcome,
      answered: this.answered,
    }
  }
}

export class ExchangeTrace implements ExchangeTracing {
  readonly traceId: string
  readonly spanId: string
  isRecorded = false
  readonly #ids: TraceIds
  readonly #tracing: CompiledTracing
  readonly #parent: TraceContext | null
  readonly #calls: CallTrace[] = []
  #isSampled: boolean | null = null

  constructor(tracing: CompiledTracing, ids: TraceIds, parent: TraceContext | null) {
    this.#tracing = tracing
    this.#ids = ids
    this.#parent = parent
    this.traceId = parent?.traceId ?? ids.traceId()
    this.spanId = ids.spanId()
  }

  /** The decision is the parent's where it counts, else by the share of the operation and model route as they are known by then. */
  isSampled({ operation, route }: Exchange): boolean {
    this.#isSampled ??=
      this.#ofParent() ??
      isWithinRatio(this.traceId, this.#tracing.ratioOf(operation?.id ?? '', route?.name ?? ''))
    return this.#isSampled
  }

  #ofParent(): boolean | null {
    return this.#tracing.terms.parents === 'follow' ? (this.#parent?.isSampled ?? null) : null
  }

  contextOf(exchange: Exchange): string {
    const { traceId, spanId } = this
    return writeTraceparent({ traceId, spanId, isSampled: this.isSampled(exchange) })
  }

  beginCall(exchange: Exchange, headers: string[], call: CallFacts): CallTrace | null {
    const { terms, sendsContext, sendsState } = this.#tracing
    const isSampled = this.isSampled(exchange)
    const isTold = (isSampled || terms.keepsErrors) && this.#calls.length < maxCalls
    const made = isTold ? new CallTrace(this.#ids.spanId(), call, isSampled) : null
    if (made !== null) this.#calls.push(made)
    const { deployment } = call.target
    if (!sendsContext(deployment)) return made
    const { traceId, spanId } = this
    headers.push('traceparent', writeTraceparent({ traceId, spanId: made?.spanId ?? spanId, isSampled }))
    const state = this.#parent?.state ?? ''
    if (state !== '' && sendsState(deployment)) headers.push('tracestate', state)
    return made
  }

  finish(exchange: Exchange, end: number): TraceRecord | null {
    const { operation, outcome, inbound } = exchange
    if (operation === null || outcome === 'open') return null
    const { terms } = this.#tracing
    if (!this.isSampled(exchange) && !(terms.keepsErrors && isFailed(exchange))) return null
    this.isRecorded = true
    const from = inbound.startedAt
    // A whole answer is sent, and the exchange over, before its call has seen its own end.
    for (const call of this.#calls) call.end('ok', end)
    return {
      traceId: this.traceId,
      spanId: this.spanId,
      parentSpanId: this.#parent?.spanId ?? '',
      state: this.#parent?.state ?? '',
      requestId: exchange.id,
      time: exchange.startedAt,
      durationMs: rounded(end - from),
      method: operation.method,
      route: operation.path,
      scheme: inbound.encrypted ? 'https' : 'http',
      httpVersion: inbound.httpVersion,
      operation: operation.id,
      model: exchange.route?.name ?? '',
      modelLabel: publicModel(exchange),
      status: exchange.status,
      fault: exchange.faultCode,
      outcome,
      streamed: exchange.stream,
      firstByteMs: exchange.firstByteAt === 0 ? null : rounded(exchange.firstByteAt - from),
      organizationId: exchange.key?.organizationId ?? '',
      applicationId: exchange.key?.applicationId ?? '',
      keyId: exchange.key?.keyId ?? '',
      cacheStatus: exchange.cacheStatus,
      requestBytes: exchange.requestBytes,
      responseBytes: exchange.responseBytes,
      usage: usageOf(exchange),
      costMicroUsd: exchange.costMicroUsd,
      contentReference: terms.references && exchange.isContentLogged ? exchange.id : '',
      stages: terms.stages ? stagesOf(exchange, from) : [],
      calls: this.#calls.map((call) => call.told(from)),
    }
  }
}

/** Of the call that was answered: without those whose answers nobody got. */
function usageOf({ target, usage, lost }: Exchange): TokenUsage | null {
  if (target === null || usage === null || lost === null) return target === null ? null : usage
  const less = (key: Exclude<keyof TokenUsage, 'estimated'>): number =>
    Math.max(0, usage[key] - lost.usage[key])
  return {
    inputTokens: less('inputTokens'),
    outputTokens: less('outputTokens'),
    cachedInputTokens: less('cachedInputTokens'),
    cacheWriteTokens: less('cacheWriteTokens'),
    reasoningTokens: less('reasoningTokens'),
    estimated: usage.estimated,
  }
}

function stagesOf({ timedStages, stageStarts }: Exchange, from: number): TraceRecord['stages'] {
  return timedStages.map((name, at) => [name, rounded((stageStarts[at] ?? from) - from)])
}

/** Milliseconds with three decimals. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
