/**
 * Test-only: `UpstreamClient` on undici's `dispatch`. It keeps the contract suite honest (a guarantee that no other
 * client could meet would be one of our own making) and is what the micro-benchmark measures against. It is not
 * part of the product: undici is a development dependency.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { connect as connectTls, rootCertificates } from 'node:tls'
import { type buildConnector, type Dispatcher, Pool } from 'undici'
import type { EgressGuard } from '../../ports/egress.ts'
import type {
  BodyStream,
  ClientCall,
  UpstreamClient,
  UpstreamFailureKind,
  UpstreamHandler,
  UpstreamOrigin,
  UpstreamRequest,
} from '../../ports/upstream-client.ts'

/** An error whose kind is known where it arises. */
class KnownFailure extends Error {
  readonly kind: UpstreamFailureKind

  constructor(kind: UpstreamFailureKind) {
    super(kind)
    this.kind = kind
  }
}

export interface UndiciClientOptions {
  readonly egress: EgressGuard
  readonly extraCertificates: readonly string[]
}

export function createUndiciClient(options: UndiciClientOptions): UpstreamClient {
  const pools = new Map<string, Pool>()

  function poolOf(origin: UpstreamOrigin): Pool {
    const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host
    const url = `${origin.protocol}//${host}:${origin.port}`
    const key = `${url} ${origin.allowPrivateNetwork}`
    let pool = pools.get(key)
    if (pool === undefined) {
      pool = new Pool(url, {
        connect: connectorOf(options, origin),
        pipelining: 1,
        allowH2: false,
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: 55_000,
        maxHeaderSize: 65_536,
      })
      pools.set(key, pool)
    }
    return pool
  }

  return {
    call(request, handler) {
      const call = new UndiciCall(request, handler)
      process.nextTick(() => call.dispatch(poolOf(request.origin)))
      return call
    },
    close() {
      for (const pool of pools.values()) void pool.close()
      pools.clear()
    },
  }
}

function connectorOf(options: UndiciClientOptions, origin: UpstreamOrigin): buildConnector.connector {
  const ca = [...rootCertificates, ...options.extraCertificates]
  return (_options, callback) => {
    options.egress.resolve(origin.host, origin, (failure, addresses) => {
      const [first] = addresses
      if (failure !== null || first === undefined) {
        callback(new KnownFailure(failure?.kind ?? 'resolve'), null)
        return
      }
      const secure = origin.protocol === 'https:'
      const target = { host: first.address, port: origin.port, noDelay: true }
      const name = isIP(origin.host) === 0 ? { servername: origin.host } : {}
      const socket: Socket = secure ? connectTls({ ...target, ...name, ca }) : connectTcp(target)
      let connected = false
      socket.once('connect', () => {
        connected = true
      })
      const failed = (): void => callback(new KnownFailure(connected ? 'tls' : 'connect'), null)
      socket.once('error', failed)
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        socket.off('error', failed)
        callback(null, socket)
      })
    })
  }
}

/** One call; the deadlines are its own, since those of undici are coarser and differ in meaning. */
class UndiciCall implements ClientCall {
  readonly #request: UpstreamRequest
  readonly #handler: UpstreamHandler
  readonly #total: NodeJS.Timeout
  #source: Readable | null = null
  #controller: Dispatcher.DispatchController | null = null
  #timer: NodeJS.Timeout | undefined
  #cut: KnownFailure | null = null
  #over = false
  #started = false
  #sent: boolean
  #paused = false

  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    const { body, timeouts } = request
    this.#request = request
    this.#handler = handler
    this.#sent = !isStream(body)
    this.#total = setTimeout(() => this.#fail('total-timeout', 'total'), timeouts.totalMs)
    if (isStream(body)) this.#source = readableOf(body, this.#sourceEvents())
    this.#arm(timeouts.connectMs, 'connect-timeout')
  }

  get isSent(): boolean {
    return this.#started && this.#sent
  }

  dispatch(pool: Pool): void {
    if (this.#over) return
    try {
      pool.dispatch(dispatchOptions(this.#request, this.#source), this.#dispatchHandler())
    } catch (error) {
      this.#fail('protocol', error instanceof Error ? error.message : 'refused')
    }
  }

  pause(): void {
    if (this.#over || this.#paused) return
    this.#paused = true
    if (this.#started) clearTimeout(this.#timer)
    this.#controller?.pause()
  }

  resume(): void {
    if (this.#over || !this.#paused) return
    this.#paused = false
    if (this.#started) this.#arm(this.#request.timeouts.idleMs, 'idle-timeout')
    this.#controller?.resume()
  }

  abort(): void {
    if (this.#finish()) this.#disconnect()
  }

  #dispatchHandler(): Dispatcher.DispatchHandler {
    const { timeouts } = this.#request
    return {
      onRequestStart: (controller) => {
        this.#controller = controller
        this.#started = true
        if (this.#cut !== null) controller.abort(this.#cut)
        if (this.#sent) this.#arm(timeouts.firstByteMs, 'first-byte-timeout')
        else clearTimeout(this.#timer)
      },
      onResponseStart: (controller, status) => {
        if (status < 200 || this.#over) return
        this.#arm(timeouts.idleMs, 'idle-timeout')
        this.#handler.head(status, flatHeaders(controller.rawHeaders))
      },
      onResponseData: (_controller, chunk) => {
        if (this.#over) return
        this.#arm(timeouts.idleMs, 'idle-timeout')
        this.#handler.data(chunk)
      },
      onResponseEnd: () => {
        if (this.#finish()) this.#handler.end()
      },
      onResponseError: (_controller, error) => this.#fail(kindOf(error), error.message),
    }
  }

  #sourceEvents(): SourceEvents {
    const { timeouts } = this.#request
    return {
      sent: () => {
        this.#sent = true
        if (this.#controller !== null) this.#arm(timeouts.firstByteMs, 'first-byte-timeout')
      },
      stalled: (now) => {
        if (now) this.#arm(timeouts.idleMs, 'idle-timeout')
        else clearTimeout(this.#timer)
      },
      failed: (reason) => process.nextTick(() => this.#fail('body-source', reason)),
    }
  }

  #arm(delayMs: number, kind: UpstreamFailureKind): void {
    clearTimeout(this.#timer)
    if (this.#over || (this.#paused && this.#started)) return
    this.#timer = setTimeout(() => this.#fail(kind, kind), delayMs)
  }

  #finish(): boolean {
    if (this.#over) return false
    this.#over = true
    clearTimeout(this.#total)
    clearTimeout(this.#timer)
    return true
  }

  #disconnect(): void {
    this.#cut = new KnownFailure('reset')
    this.#controller?.abort(this.#cut)
    this.#source?.destroy()
  }

  #fail(kind: UpstreamFailureKind, internal: string): void {
    if (!this.#finish()) return
    this.#disconnect()
    this.#handler.failure({ kind, internal, unsent: !this.#started })
  }
}

function isStream(body: UpstreamRequest['body']): body is BodyStream {
  return body !== null && !(body instanceof Uint8Array)
}

function dispatchOptions(request: UpstreamRequest, source: Readable | null): Dispatcher.DispatchOptions {
  const { method, path, body, headers } = request
  const announced = isStream(body) && body.length !== undefined ? ['content-length', String(body.length)] : []
  return {
    method: method as Dispatcher.HttpMethod,
    path,
    headers: [...headers, ...announced],
    body: isStream(body) ? source : body,
  }
}

interface SourceEvents {
  sent(): void
  stalled(now: boolean): void
  failed(reason: string): void
}

function readableOf(body: BodyStream, events: SourceEvents): Readable {
  let remaining = body.length
  let begun = false
  /** The consumer asked for more from within `push`, whose result is then out of date. */
  let asked = false
  const stream = new Readable({
    read() {
      asked = true
      if (begun) {
        events.stalled(false)
        body.resume()
        return
      }
      begun = true
      body.start({
        data(chunk) {
          if (remaining !== undefined) remaining -= chunk.length
          if (remaining !== undefined && remaining < 0) events.failed('body longer than announced')
          else if (!stream.destroyed) {
            asked = false
            if (stream.push(chunk) || asked) return
            body.pause()
            events.stalled(true)
          }
        },
        end() {
          if (remaining !== undefined && remaining > 0) events.failed('body shorter than announced')
          else if (!stream.destroyed) {
            stream.push(null)
            events.sent()
          }
        },
        failure: () => events.failed('body source broke off'),
      })
    },
  })
  stream.on('error', () => undefined)
  return stream
}

function flatHeaders(raw: Dispatcher.DispatchController['rawHeaders']): readonly string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((item: Buffer | string, index: number) => {
    const text = typeof item === 'string' ? item : item.toString('latin1')
    return index % 2 === 0 ? text.toLowerCase() : text
  })
}

function kindOf(error: Error): UpstreamFailureKind {
  if (error instanceof KnownFailure) return error.kind
  const code = 'code' in error ? String(error.code) : ''
  const isProtocol =
    error.name === 'HTTPParserError' ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code.startsWith('UND_ERR_INVALID')
  return isProtocol || error.message === 'bad response' || error.message === 'bad upgrade'
    ? 'protocol'
    : 'reset'
}
