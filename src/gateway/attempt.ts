/**
 * One try at one deployment: authorize, call, and hand the answer to the relay that fits it. Falls back to the next
 * deployment only while nothing has been sent to the caller.
 */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { UpstreamFailure, UpstreamFailureKind, UpstreamHandler } from '../ports/upstream-client.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { errorBodyBytes, isWorthAnotherTry, relayError } from './relay-error.ts'
import { openStreamRelay, type StreamRelay } from './relay-stream.ts'
import { type Collector, collect, relayUnary } from './relay-unary.ts'
import type { CompiledTarget } from './snapshot.ts'
import { bodyFault } from './stages/receive.ts'
import { buildOutgoing, type OutgoingRequest } from './upstream-request.ts'

/** Try target number `index`. */
export function attempt(exchange: Exchange, ctx: GatewayContext, index: number): void {
  const target = exchange.targets[index]
  if (target === undefined)
    return exchange.fail(new Fault(faults.noDeployment, { public: { model: exchange.model } }))
  exchange.target = target
  exchange.attempts += 1
  let request: OutgoingRequest
  try {
    request = buildOutgoing(exchange, target)
  } catch (error) {
    // Another deployment may be able to express what this one cannot.
    if (index + 1 < exchange.targets.length) return attempt(exchange, ctx, index + 1)
    return exchange.fail(error)
  }
  const { deployment } = target
  const proof = {
    method: exchange.operation?.method ?? 'POST',
    host: deployment.host,
    path: request.path,
    contentType: request.headers[1] ?? '',
    body: request.body instanceof Uint8Array ? request.body : null,
  }
  try {
    deployment.authorize(proof, (failure, headers) => {
      if (exchange.outcome !== 'open') return
      if (failure !== null) {
        return nextOrFail(exchange, ctx, {
          index,
          fault: new Fault(faults.upstreamCredential, { internal: failure.internal }),
        })
      }
      request.headers.push(...headers)
      try {
        send(exchange, ctx, { target, request, index })
      } catch (error) {
        exchange.fail(error)
      }
    })
  } catch (error) {
    // A retry runs in a callback of the client or of a timer, where nobody else would catch.
    exchange.fail(error)
  }
}

function send(
  exchange: Exchange,
  ctx: GatewayContext,
  { target, request, index }: { target: CompiledTarget; request: OutgoingRequest; index: number },
): void {
  exchange.upstreamStartedAt = ctx.clock.monotonic()
  const number = exchange.attempts
  const call = ctx.upstream.call(
    {
      origin: target.deployment.origin,
      method: exchange.operation?.method ?? 'POST',
      path: request.path,
      headers: request.headers,
      body: request.body,
      timeouts: target.timeouts,
    },
    new AnswerHandler(exchange, ctx, { request, index }),
  )
  // A call that ended at once has been followed by another already, or by nothing.
  if (exchange.outcome !== 'open') call.abort()
  else if (exchange.attempts === number) exchange.call = call
}

interface FailedTry {
  readonly index: number
  readonly fault: Fault
}

function nextOrFail(exchange: Exchange, ctx: GatewayContext, { index, fault }: FailedTry): void {
  const more = index + 1 < exchange.targets.length
  if (more && exchange.firstByteAt === 0 && !exchange.bodyPending) {
    ctx.note({
      level: 'warn',
      requestId: exchange.id,
      code: fault.code,
      internal: `${fault.internalText}; trying the next deployment`,
    })
    return attempt(exchange, ctx, index + 1)
  }
  exchange.fail(fault)
}

/** Receives one upstream answer. A class: one per request, fixed shape, no closures on the hot path. */
class AnswerHandler implements UpstreamHandler {
  readonly #exchange: Exchange
  readonly #ctx: GatewayContext
  readonly #request: OutgoingRequest
  readonly #index: number
  #status = 0
  #headers: readonly string[] = []
  #stream: StreamRelay | null = null
  #collector: Collector | null = null

  constructor(
    exchange: Exchange,
    ctx: GatewayContext,
    tried: { readonly request: OutgoingRequest; readonly index: number },
  ) {
    this.#exchange = exchange
    this.#ctx = ctx
    this.#request = tried.request
    this.#index = tried.index
  }

  head(status: number, headers: readonly string[]): void {
    this.#status = status
    this.#headers = headers
    const exchange = this.#exchange
    if (status >= 300) {
      this.#collector = collect(errorBodyBytes)
    } else if (isStreamed(exchange, headers)) {
      this.#guarded(() => {
        this.#stream = openStreamRelay(exchange, this.#ctx, { request: this.#request, status, headers })
      })
    } else {
      this.#collector = collect(exchange.snapshot.bounds.responseBytes)
    }
  }

  data(chunk: Buffer): void {
    if (this.#stream !== null) return this.#stream.data(chunk)
    if (this.#collector === null || this.#collector.add(chunk)) return
    if (this.#status >= 300) return
    const limit = this.#exchange.snapshot.bounds.responseBytes
    this.#exchange.fail(new Fault(faults.upstreamTooLarge, { public: { limit } }))
  }

  end(): void {
    if (this.#stream !== null) return this.#stream.end()
    const exchange = this.#exchange
    const body = this.#collector?.take() ?? Buffer.alloc(0)
    const answer = { request: this.#request, status: this.#status, headers: this.#headers, body }
    if (this.#status < 300) return this.#guarded(() => relayUnary(exchange, this.#ctx, answer))
    const last = this.#index + 1 >= exchange.targets.length
    if (!last && isWorthAnotherTry(this.#status) && !exchange.bodyPending) {
      return nextOrFail(exchange, this.#ctx, {
        index: this.#index,
        fault: new Fault(faults.upstreamError, { internal: `the provider answered ${this.#status}` }),
      })
    }
    this.#guarded(() => relayError(exchange, this.#ctx, answer))
  }

  failure(failure: UpstreamFailure): void {
    const fault =
      failure.kind === 'body-source'
        ? bodyFault(this.#exchange, this.#exchange.bodyFailure)
        : faultOf(failure.kind, failure.internal)
    nextOrFail(this.#exchange, this.#ctx, { index: this.#index, fault })
  }

  #guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#exchange.fail(error)
    }
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
