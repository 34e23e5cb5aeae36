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
  UpstreamCall,
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
    call: (request, handler) => startCall(poolOf(request.origin), request, handler),
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
function startCall(pool: Pool, request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
  const { timeouts, body } = request
  let controller: Dispatcher.DispatchController | null = null
  let source: Readable | null = null
  let over = false
  let started = false
  let bodyDone = !isStream(body)
  let paused = false
  let timer: NodeJS.Timeout | null = null
  let pending: KnownFailure | null = null
  const total = setTimeout(() => fail('total-timeout', 'total'), timeouts.totalMs)

  function arm(delayMs: number, kind: UpstreamFailureKind): void {
    if (timer !== null) clearTimeout(timer)
    timer = paused && started ? null : setTimeout(() => fail(kind, kind), delayMs)
  }
  function finish(): boolean {
    if (over) return false
    over = true
    clearTimeout(total)
    if (timer !== null) clearTimeout(timer)
    return true
  }
  function cut(): void {
    pending ??= new KnownFailure('reset')
    controller?.abort(pending)
    source?.destroy()
  }
  function fail(kind: UpstreamFailureKind, internal: string): void {
    if (!finish()) return
    cut()
    handler.failure({ kind, internal, unsent: !started })
  }
  if (isStream(body)) {
    source = readableOf(body, {
      sent() {
        bodyDone = true
        if (!over && controller !== null) arm(timeouts.firstByteMs, 'first-byte-timeout')
      },
      stalled: (now) => (now ? arm(timeouts.idleMs, 'idle-timeout') : timer !== null && clearTimeout(timer)),
      failed: (reason) => process.nextTick(() => fail('body-source', reason)),
    })
  }
  arm(timeouts.connectMs, 'connect-timeout')
  process.nextTick(() => {
    if (over) return
    try {
      pool.dispatch(dispatchOptions(request, source), {
        onRequestStart(given) {
          controller = given
          started = true
          if (pending !== null) given.abort(pending)
          if (bodyDone) arm(timeouts.firstByteMs, 'first-byte-timeout')
          else if (timer !== null) clearTimeout(timer)
        },
        onResponseStart(given, status) {
          if (status < 200 || over) return
          arm(timeouts.idleMs, 'idle-timeout')
          handler.head(status, flatHeaders(given.rawHeaders))
        },
        onResponseData(_given, chunk) {
          if (over) return
          arm(timeouts.idleMs, 'idle-timeout')
          handler.data(chunk)
        },
        onResponseEnd() {
          if (finish()) handler.end()
        },
        onResponseError(_given, error) {
          fail(kindOf(error), error.message)
        },
      })
    } catch (error) {
      fail('protocol', error instanceof Error ? error.message : 'refused')
    }
  })
  return {
    pause() {
      if (over || paused) return
      paused = true
      if (timer !== null && started) clearTimeout(timer)
      controller?.pause()
    },
    resume() {
      if (over || !paused) return
      paused = false
      if (started) arm(timeouts.idleMs, 'idle-timeout')
      controller?.resume()
    },
    abort() {
      if (finish()) cut()
    },
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
  const stream = new Readable({
    read() {
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
          else if (!stream.destroyed && !stream.push(chunk)) {
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
