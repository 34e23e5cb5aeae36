/**
 * One try at one deployment: build the request, authorize it, call, and hand the answer to the relay that fits it.
 * What follows a failure is decided in `attempt.ts`. The class is the handler of the upstream call and the call
 * itself: one object per try, fixed shape, no closures on the hot path.
 */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { TimerHandle } from '../kernel/timer-wheel.ts'
import type {
  ClientCall,
  UpstreamCall,
  UpstreamFailure,
  UpstreamFailureKind,
  UpstreamHandler,
} from '../ports/upstream-client.ts'
import { type Downgrade, dialects } from '../providers/index.ts'
import {
  classOfErrorEvent,
  classOfFailure,
  classOfStatus,
  defaultRouteTerms,
  type FailureClass,
  failureClasses,
  retryAfterMs,
} from '../routing/index.ts'
import { readKeepMs } from './cache-control.ts'
import type { GatewayContext } from './context.ts'
import type { CallTracing, Exchange, ExchangeTracing } from './exchange.ts'
import { countLost } from './lost-calls.ts'
import { errorBodyBytes, relayError, relayErrorEvent } from './relay-error.ts'
import { openStreamRelay, type StreamRelay } from './relay-stream.ts'
import { type Collector, collect, relayUnary } from './relay-unary.ts'
import { wakeRoom } from './room-hold.ts'
import type { CompiledTarget } from './snapshot.ts'
import { bodyFault } from './stages/receive.ts'
import { createStreamGuard, type GuardVerdict, type StreamGuard } from './stream-guard.ts'
import { buildOutgoing, type OutgoingRequest } from './upstream-request.ts'

export interface TryFailure {
  readonly failure: FailureClass
  /** What the caller gets when nothing else is tried. */
  readonly error: unknown
  readonly retryAfterMs: number | null
  /** Sends the provider's own error instead, where it gave one. */
  readonly relay: (() => void) | null
  /** The provider had the request whole and did not refuse it, so it may charge for the call. */
  readonly charged: boolean
}

export interface TryEvents {
  /** The answer begins well: from now on this try's answer is the exchange's. */
  began(trial: UpstreamTry): void
  failed(trial: UpstreamTry, failure: TryFailure): void
}

/** A target that this exchange may go to. */
export interface Claimed {
  readonly target: CompiledTarget
  /** It is out of use, and the exchange finds out whether it still has to be. */
  readonly isTrial: boolean
}

/** Headers of callers that name versions and traces; others (an organization, a project) may offend a provider. */
const harmlessHeaders: ReadonlySet<string> = new Set([
  'anthropic-beta',
  'anthropic-version',
  'openai-beta',
  'x-client-request-id',
  'x-ms-client-request-id',
  'x-session-affinity',
])

type Stage = 'calling' | 'answering' | 'ended'

export class UpstreamTry implements UpstreamHandler, UpstreamCall {
  readonly exchange: Exchange
  readonly ctx: GatewayContext
  readonly target: CompiledTarget
  servedModel = ''
  downgrades: Downgrade[] = []
  readonly #events: TryEvents
  readonly #isTrial: boolean
  #stage: Stage = 'calling'
  #request: OutgoingRequest | null = null
  #call: ClientCall | null = null
  /** Monotone milliseconds; 0: not called yet. */
  startedAt = 0
  #headAt = 0
  #hasSucceeded = false
  #status = 0
  #headers: readonly string[] = []
  #stream: StreamRelay | null = null
  #collector: Collector | null = null
  #guard: StreamGuard | null = null
  #guardTimer: TimerHandle | null = null
  /** Null: the call is not traced. */
  #trace: CallTracing | null = null

  constructor(exchange: Exchange, ctx: GatewayContext, made: Claimed & { readonly events: TryEvents }) {
    this.exchange = exchange
    this.ctx = ctx
    this.target = made.target
    this.#isTrial = made.isTrial
    this.#events = made.events
  }

  start(): void {
    const { exchange, target } = this
    exchange.target = target
    exchange.attempts += 1
    target.health.begin()
    try {
      this.#request = buildOutgoing(exchange, target)
      this.servedModel = exchange.servedModel
      this.downgrades = exchange.downgrades
    } catch (error) {
      return this.#fail({ failure: failureClasses.unfit, error })
    }
    try {
      this.#authorize(this.#request)
    } catch (error) {
      // A later try runs in a callback of the client or of a timer, where nobody else would catch.
      exchange.fail(error)
    }
  }

  /** A further try of the same exchange. */
  beside(claimed: Claimed): UpstreamTry {
    return new UpstreamTry(this.exchange, this.ctx, { ...claimed, events: this.#events })
  }

  #authorize(request: OutgoingRequest): void {
    const { exchange, target } = this
    const proof = {
      method: exchange.operation?.method ?? 'POST',
      host: target.deployment.host,
      path: request.path,
      contentType: request.headers[1] ?? '',
      body: request.body instanceof Uint8Array ? request.body : null,
    }
    target.deployment.authorize(proof, (failure, headers) => {
      if (this.#stage === 'ended' || exchange.outcome !== 'open') return
      if (failure !== null) {
        const error = new Fault(faults.upstreamCredential, { internal: failure.internal })
        return this.#fail({ failure: failureClasses.token, error })
      }
      request.headers.push(...headers)
      try {
        this.#send(request)
      } catch (error) {
        exchange.fail(error)
      }
    })
  }

  #send(request: OutgoingRequest): void {
    const { exchange, target, ctx } = this
    this.startedAt = ctx.clock.monotonic()
    exchange.upstreamStartedAt = this.startedAt
    if (exchange.trace !== null) this.#beginTrace(exchange.trace, request.headers)
    const call = ctx.upstream.call(
      {
        origin: target.deployment.origin,
        method: exchange.operation?.method ?? 'POST',
        path: request.path,
        headers: request.headers,
        body: request.body,
        timeouts: target.timeouts,
      },
      this,
    )
    // It may have ended at once.
    if (this.#isEnded || exchange.outcome !== 'open') call.abort()
    else this.#call = call
  }

  #beginTrace(trace: ExchangeTracing, headers: string[]): void {
    const { exchange, target, servedModel, startedAt } = this
    this.#trace = trace.beginCall(exchange, headers, { target, model: servedModel, startedAt })
  }

  get #isEnded(): boolean {
    return this.#stage === 'ended'
  }

  pause(): void {
    this.#call?.pause()
  }

  resume(): void {
    this.#call?.resume()
  }

  abort(): void {
    if (this.#isEnded) return
    this.#end('abandoned')
    if (!this.#hasSucceeded) this.target.health.abandoned(this.#isTrial)
    this.#call?.abort()
    // Of a stream that is under way it is known what came of it.
    if (this.#stream === null && this.#isCharged) countLost(this)
  }

  get #isCharged(): boolean {
    return this.#status === 0 ? this.#call?.isSent === true : this.#status >= 200 && this.#status < 300
  }

  head(status: number, headers: readonly string[]): void {
    this.#status = status
    this.#headers = headers
    this.#headAt = this.ctx.clock.monotonic()
    if (this.#trace !== null) this.#trace.status = status
    const { exchange } = this
    if (status >= 300) {
      this.#collector = collect(errorBodyBytes)
      return
    }
    if (!isStreamed(exchange, headers)) {
      this.#collector = collect(exchange.snapshot.bounds.responseBytes)
      return this.#begin()
    }
    const dialect = this.#request?.wireDialect ?? null
    if (
      dialect === null ||
      exchange.route?.guardsStreams !== true ||
      exchange.operation?.trafficClass !== 'G'
    )
      return this.#openRelay()
    this.#guard = createStreamGuard(dialects[dialect])
    const { firstContentMs } = exchange.route.terms
    if (firstContentMs !== null)
      this.#guardTimer = this.ctx.timers.set(firstContentMs, () =>
        this.#breakOff('first-byte-timeout', 'no content came in time'),
      )
  }

  data(chunk: Buffer): void {
    if (this.#trace !== null && this.#status < 300) this.#trace.look(chunk)
    if (this.#guard !== null) return this.#judge(this.#guard, (guard) => guard.push(chunk))
    if (this.#stream !== null) {
      if (!this.#hasSucceeded) this.#succeed(this.ctx.clock.monotonic())
      return this.#stream.data(chunk)
    }
    if (this.#collector === null || this.#collector.add(chunk)) return
    if (this.#status >= 300) return
    const limit = this.exchange.snapshot.bounds.responseBytes
    this.exchange.fail(new Fault(faults.upstreamTooLarge, { public: { limit } }))
  }

  end(): void {
    if (this.#guard !== null) {
      this.#judge(this.#guard, (guard) => guard.end())
      if (this.#isEnded) return
    }
    if (this.#stream !== null) {
      if (!this.#hasSucceeded) this.#succeed(this.ctx.clock.monotonic())
      this.#end('ok')
      return this.#stream.end()
    }
    const body = this.#collector?.take() ?? Buffer.alloc(0)
    if (this.#status < 300) return this.#relayWhole(body)
    const now = this.ctx.clock.now()
    this.#fail({
      failure: classOfStatus(this.#status),
      error: new Fault(faults.upstreamError, { internal: `the provider answered ${this.#status}` }),
      retryAfterMs: retryAfterMs(this.#headers, now),
      relay: () => relayError(this.exchange, this.ctx, { ...this.#answer(), body }),
    })
  }

  failure({ kind, internal }: UpstreamFailure): void {
    if (kind !== 'body-source') return this.#breakOff(kind, internal)
    this.#fail({
      failure: failureClasses.caller,
      error: bodyFault(this.exchange, this.exchange.bodyFailure),
    })
  }

  #breakOff(kind: Exclude<UpstreamFailureKind, 'body-source'>, internal: string): void {
    this.#fail({ failure: classOfFailure(kind), error: faultOf(kind, internal) })
  }

  #relayWhole(body: Buffer): void {
    try {
      relayUnary(this.exchange, this.ctx, { ...this.#answer(), body })
    } catch (error) {
      if (
        error instanceof Fault &&
        error.definition === faults.upstreamMalformed &&
        !this.exchange.reply.headSent
      )
        return this.#fail({ failure: failureClasses.malformed, error })
      this.exchange.fail(error)
    }
    if (!this.#isEnded) this.#succeed(this.#headAt)
    this.#end('ok')
  }

  #judge(guard: StreamGuard, look: (guard: StreamGuard) => GuardVerdict): void {
    let verdict: GuardVerdict
    try {
      verdict = look(guard)
    } catch (error) {
      return this.exchange.fail(error)
    }
    if (verdict === 'wait') return
    const failure = verdict === 'content' ? null : classOfErrorEvent(verdict.kind)
    if (failure?.next === true && verdict !== 'content') {
      const error = new Fault(faults.upstreamBroken, {
        internal: `the stream ended before its first content: ${verdict.kind}`,
      })
      return this.#fail({ failure, error, relay: () => relayErrorEvent(this.exchange, this.ctx, verdict) })
    }
    this.#passOn(guard)
  }

  /** The caller gets what was held back, and all that follows. */
  #passOn(guard: StreamGuard): void {
    this.#guard = null
    this.#guardTimer?.clear()
    if (!this.#isEnded) this.#succeed(this.ctx.clock.monotonic())
    this.#openRelay()
    for (const chunk of guard.take()) this.#stream?.data(chunk)
  }

  #openRelay(): void {
    this.#begin()
    try {
      this.#stream = openStreamRelay(this.exchange, this.ctx, this.#answer())
    } catch (error) {
      this.exchange.fail(error)
    }
  }

  #answer() {
    if (this.#request === null) throw new TypeError('an answer without a request')
    return { request: this.#request, status: this.#status, headers: this.#headers }
  }

  #begin(): void {
    if (this.#stage !== 'calling') return
    this.#stage = 'answering'
    if (this.#trace !== null) this.#trace.answered = true
    if (this.exchange.keepResponse !== null) this.exchange.keepAtMostMs = readKeepMs(this.#headers)
    this.#events.began(this)
  }

  #succeed(at: number): void {
    const { ctx, exchange, target } = this
    this.#hasSucceeded = true
    const instant = { now: ctx.clock.now(), monotonic: at }
    target.health.succeeded(at - this.startedAt, exchange.stream, instant)
    if (!exchange.stream) return
    ctx.metrics.firstChunk(exchange, target, at - this.startedAt)
    if (this.#trace !== null) this.#trace.firstChunkAt = at
  }

  #fail(facts: Partial<TryFailure> & Pick<TryFailure, 'failure' | 'error'>): void {
    if (this.#isEnded) return
    this.#end(facts.failure.name)
    this.#call?.abort()
    const { ctx, exchange } = this
    const failed: TryFailure = {
      retryAfterMs: null,
      relay: null,
      charged: this.#isCharged,
      ...facts,
    }
    const monotonic = ctx.clock.monotonic()
    const elapsedMs = this.startedAt === 0 ? 0 : monotonic - this.startedAt
    this.target.health.failed(
      {
        ...failed,
        failure: this.#blamed(failed.failure),
        elapsedMs,
        streamed: exchange.stream,
        isTrial: this.#isTrial,
      },
      exchange.route?.terms ?? defaultRouteTerms,
      { now: ctx.clock.now(), monotonic },
    )
    this.#events.failed(this, failed)
  }

  /** A credential is not to blame for what the caller's own headers may have brought about. */
  #blamed(failure: FailureClass): FailureClass {
    if (failure.effect !== 'retire-deployment' && failure.effect !== 'retire-target') return failure
    const { forwardHeaders } = this.target.deployment
    const { headers } = this.exchange.inbound
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] ?? ''
      if (forwardHeaders.has(name) && !harmlessHeaders.has(name)) return failureClasses.missing
    }
    return failure
  }

  #end(outcome: string): void {
    if (this.#isEnded) return
    this.#stage = 'ended'
    this.#guardTimer?.clear()
    this.target.health.end()
    const now = this.ctx.clock.monotonic()
    this.ctx.metrics.callEnded(this, outcome, now)
    this.#trace?.end(outcome, now)
    wakeRoom(this.exchange, this.target.deployment, this.ctx)
  }
}

/** Text of a stream, or a body (audio, files) that is passed on as it comes. */
function isStreamed(exchange: Exchange, headers: readonly string[]): boolean {
  if (exchange.stream) return true
  if (exchange.operation?.trafficClass !== 'P') return false
  const at = headers.indexOf('content-type')
  return at < 0 || !(headers[at + 1] ?? '').startsWith('application/json')
}

function faultOf(kind: Exclude<UpstreamFailureKind, 'body-source'>, internal: string): Fault {
  switch (kind) {
    case 'egress-denied':
      return new Fault(faults.egressDenied, { internal })
    case 'connect-timeout':
    case 'first-byte-timeout':
    case 'idle-timeout':
    case 'total-timeout':
      return new Fault(faults.upstreamTimeout, { internal: `${kind}: ${internal}` })
    case 'resolve':
    case 'connect':
    case 'tls':
      return new Fault(faults.upstreamUnreachable, { internal: `${kind}: ${internal}` })
    case 'reset':
    case 'protocol':
      return new Fault(faults.upstreamBroken, { internal: `${kind}: ${internal}` })
  }
}
