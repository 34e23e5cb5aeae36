/**
 * One call: gets a connection, sends, hands the response on, keeps the deadlines, ends exactly once.
 *
 *   connecting ──▶ sending ──▶ waiting ──▶ receiving ──▶ over
 *      │ connect     │ idle      │ first byte  │ idle        (deadline of the phase; `total` spans all)
 *      └── pooled connection: straight to sending
 *
 * Retry: at most one, on a new connection, and only where it cannot act twice: the kernel took no byte of the
 * request, or the method is safe (RFC 9110 §9.2.2), a reused connection died without a byte of answer, and the
 * body is at hand. Deadlines stand still while the caller holds the response back; `total` does not.
 */
import type { TimerHandle, TimerWheel } from '../../kernel/timer-wheel.ts'
import type {
  ClientCall,
  UpstreamFailure,
  UpstreamFailureKind,
  UpstreamHandler,
  UpstreamRequest,
} from '../../ports/upstream-client.ts'
import { type BodyProgress, type BodySender, sendSlices, sendStream, slicedBodyBytes } from './client-body.ts'
import type { Exchange, Http1Connection } from './client-connection.ts'
import { type RequestLine, serializeHead } from './client-request.ts'
import type { OriginPool } from './pool.ts'

/** How a call obtains connections. */
export interface ConnectionSource {
  readonly wheel: TimerWheel
  takeIdle(pool: OriginPool): Http1Connection | null
  /** `done` is called at most once, maybe before `open` returns. @returns gives up */
  open(pool: OriginPool, done: OpenDone): () => void
}

/** Either a failure or a connection. */
export type OpenDone = (failure: CallFailure | null, connection: Http1Connection | null) => void

/** What the caller asks. */
export interface CallTerms {
  readonly request: UpstreamRequest
  readonly handler: UpstreamHandler
}

export interface CallFailure {
  readonly kind: UpstreamFailureKind
  readonly internal: string
}

type Phase = 'connecting' | 'sending' | 'waiting' | 'receiving' | 'over'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** RFC 9110 §8.6: these announce an empty body, the others none. */
const methodsWithContent: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

export class Http1Call implements ClientCall, Exchange, BodyProgress {
  readonly #source: ConnectionSource
  readonly #pool: OriginPool
  readonly #request: UpstreamRequest
  readonly #handler: UpstreamHandler
  readonly #head: string | null
  readonly #total: TimerHandle
  #connection: Http1Connection | null = null
  #phase: Phase = 'connecting'
  #timer: TimerHandle | null = null
  #giveUp: (() => void) | null = null
  #sender: BodySender | null = null
  /** The timer that runs is that of the response's silences. */
  #idle = false
  #paused = false
  #reused = false
  #retried = false
  requestSent = false

  constructor(source: ConnectionSource, pool: OriginPool, { request, handler }: CallTerms) {
    this.#source = source
    this.#pool = pool
    this.#request = request
    this.#handler = handler
    this.#head = serializeHead(pool.hostLine, requestLine(request))
    this.#total = source.wheel.set(request.timeouts.totalMs, () => this.#fail('total-timeout', 'total'))
  }

  get isSent(): boolean {
    return this.requestSent
  }

  get isHead(): boolean {
    return this.#request.method === 'HEAD'
  }

  /** To be called once, after construction. The handler hears nothing before it returns. */
  start(): void {
    if (this.#head === null) {
      this.#failLater({ kind: 'protocol', internal: 'the request cannot be written safely' })
      return
    }
    const connection = this.#source.takeIdle(this.#pool)
    if (connection === null) this.#connect()
    else this.#send(connection, true)
  }

  #connect(): void {
    this.#phase = 'connecting'
    this.#arm(this.#request.timeouts.connectMs, 'connect-timeout')
    let returned = false
    const giveUp = this.#source.open(this.#pool, (failure, connection) => {
      if (this.#phase !== 'connecting') return
      this.#giveUp = null
      if (connection !== null) this.#send(connection, false)
      else {
        const problem = failure ?? { kind: 'connect', internal: 'no connection' }
        if (returned) this.#fail(problem.kind, problem.internal)
        else this.#failLater(problem)
      }
    })
    returned = true
    if (this.#phase === 'connecting') this.#giveUp = giveUp
  }

  #send(connection: Http1Connection, reused: boolean): void {
    const { body, timeouts } = this.#request
    this.#connection = connection
    this.#reused = reused
    this.#phase = 'sending'
    const whole = body === null || (body instanceof Uint8Array && body.length < slicedBodyBytes)
    if (whole) {
      this.requestSent = true
      connection.begin(this, this.#head ?? '', body)
    } else if (!connection.open(this, this.#head ?? '')) {
      // The socket's own error event follows and reports the failure, or the retry it allows.
      return
    }
    if (this.#paused) connection.pause()
    if (whole) {
      this.#phase = 'waiting'
      this.#arm(timeouts.firstByteMs, 'first-byte-timeout')
      return
    }
    this.#disarm()
    const sender =
      body instanceof Uint8Array ? sendSlices(connection, body, this) : sendStream(connection, body, this)
    if (this.#phase === 'sending') this.#sender = sender
  }

  // Request body

  progressed(flowing: boolean): void {
    if (this.#phase !== 'sending') return
    // A source may be slow for its own reasons and has its own deadlines; a socket that does not drain has ours.
    if (flowing) this.#disarm()
    else this.#arm(this.#request.timeouts.idleMs, 'idle-timeout')
  }

  sent(): void {
    this.requestSent = true
    this.#sender = null
    if (this.#phase === 'receiving') this.expecting()
    if (this.#phase !== 'sending') return
    this.#phase = 'waiting'
    this.#arm(this.#request.timeouts.firstByteMs, 'first-byte-timeout')
  }

  sourceFailed(reason: string): void {
    this.#failLater({ kind: 'body-source', internal: reason })
  }

  drained(): void {
    this.#sender?.drained()
  }

  // Response

  head(status: number, headers: readonly string[]): void {
    // RFC 9112 §9.3: an error that arrives early tells that the rest of the body is not wanted.
    if (status >= 400) this.#stopSending()
    this.#phase = 'receiving'
    this.#disarm()
    this.#handler.head(status, headers)
  }

  data(chunk: Buffer): void {
    this.#handler.data(chunk)
  }

  expecting(): void {
    // While the body is still on its way, the silence is ours.
    if (this.#sender !== null) this.#disarm()
    else if (this.#idle) this.#timer?.refresh()
    else {
      this.#arm(this.#request.timeouts.idleMs, 'idle-timeout')
      this.#idle = this.#timer !== null
    }
  }

  end(): void {
    if (!this.#over()) return
    this.#handler.end()
  }

  broken(kind: 'reset' | 'protocol', internal: string): void {
    const connection = this.#connection
    const { body, method } = this.#request
    const stale = this.#reused && connection?.answered === false && kind === 'reset'
    // A streamed body is started only after the head was taken: an untouched connection has none of it.
    const repeatable = safeMethods.has(method) && (body === null || body instanceof Uint8Array)
    if (!this.#retried && stale && (connection?.untouched === true || repeatable)) {
      this.#retried = true
      this.#connection = null
      this.requestSent = false
      this.#stopSending()
      this.#connect()
      return
    }
    this.#fail(kind, internal)
  }

  // Caller

  pause(): void {
    if (this.#paused || this.#phase === 'over') return
    this.#paused = true
    this.#connection?.pause()
    if (this.#phase === 'waiting' || this.#phase === 'receiving') this.#disarm()
  }

  resume(): void {
    if (!this.#paused || this.#phase === 'over') return
    this.#paused = false
    this.#connection?.resume()
    if (this.#phase === 'waiting') this.#arm(this.#request.timeouts.firstByteMs, 'first-byte-timeout')
    else if (this.#phase === 'receiving') this.expecting()
  }

  abort(): void {
    const connection = this.#connection
    if (!this.#over()) return
    connection?.destroy()
  }

  // Deadlines and the end

  #arm(delayMs: number, kind: UpstreamFailureKind): void {
    this.#disarm()
    const held = this.#paused && (this.#phase === 'waiting' || this.#phase === 'receiving')
    this.#timer = held ? null : this.#source.wheel.set(delayMs, () => this.#fail(kind, this.#phase))
  }

  #disarm(): void {
    this.#timer?.clear()
    this.#timer = null
    this.#idle = false
  }

  #stopSending(): void {
    this.#sender?.stop()
    this.#sender = null
  }

  /** @returns false when it was over already */
  #over(): boolean {
    if (this.#phase === 'over') return false
    this.#phase = 'over'
    // Written in this turn and not handed to the kernel yet.
    if (this.#connection?.untouched === true) this.requestSent = false
    this.#disarm()
    this.#total.clear()
    this.#stopSending()
    this.#giveUp?.()
    this.#giveUp = null
    this.#connection = null
    return true
  }

  #fail(kind: UpstreamFailureKind, internal: string): void {
    const connection = this.#connection
    if (!this.#over()) return
    connection?.destroy()
    const failure: UpstreamFailure = {
      kind,
      internal: `${this.#pool.origin.host}:${this.#pool.origin.port} ${internal}`,
      unsent: connection?.untouched ?? true,
    }
    this.#handler.failure(failure)
  }

  #failLater({ kind, internal }: CallFailure): void {
    process.nextTick(() => this.#fail(kind, internal))
  }
}

function requestLine(request: UpstreamRequest): RequestLine {
  const { method, path, headers, body } = request
  const length = body === null ? (methodsWithContent.has(method) ? 0 : null) : body.length
  return { method, path, headers, length }
}
