/**
 * The client of the listener contract: one face over `node:http`, `node:https` and `node:http2`, so that every
 * guarantee is one test for all three. Assumes loopback and a self-signed certificate.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { type ClientHttp2Session, connect as http2Connect } from 'node:http2'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Readable, Writable } from 'node:stream'

export type Transport = 'http1-plain' | 'http1-tls' | 'http2'

export interface CallOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Sent at once; absent: no body, unless `open`. */
  readonly body?: Buffer
  /** Leave the request open for `write` and `finish`. */
  readonly open?: boolean
}

export interface CallHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Call {
  readonly head: Promise<CallHead>
  /** The whole content; rejects when the reply is broken off. */
  content(): Promise<Buffer>
  /** The content as a stream that nobody has begun to read. */
  readonly source: Promise<Readable>
  write(chunk: Buffer | string): void
  finish(): void
  abort(): void
  /** Resolves when the server says 100. */
  readonly continued: Promise<void>
}

export interface Client {
  call(options: CallOptions): Call
  close(): void
}

export function openClient(transport: Transport, port: number): Client {
  return transport === 'http2' ? openHttp2(port) : openHttp1(port, transport === 'http1-tls')
}

function openHttp1(port: number, tls: boolean): Client {
  const agent = tls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  return {
    call(options) {
      const request = (tls ? httpsRequest : httpRequest)({
        host: '127.0.0.1',
        port,
        agent,
        method: options.method ?? 'GET',
        path: options.path ?? '/',
        headers: { ...options.headers },
        rejectUnauthorized: false,
      })
      const continued = new Promise<void>((resolve) => request.once('continue', resolve))
      const source = new Promise<Readable & { statusCode?: number; headers?: object }>((resolve, reject) => {
        request.once('response', resolve)
        request.once('error', reject)
      })
      const head = source.then((message) => ({
        status: message.statusCode ?? 0,
        headers: { ...message.headers },
      }))
      quiet(source, head)
      request.on('error', () => undefined)
      begin(request, options)
      return callOf({ writable: request, source, head, continued, abort: () => request.destroy() })
    },
    close: () => agent.destroy(),
  }
}

function openHttp2(port: number): Client {
  let opened: ClientHttp2Session | null = null
  function sessionNow(): ClientHttp2Session {
    if (opened === null || opened.closed || opened.destroyed) {
      opened = http2Connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
      opened.on('error', () => undefined)
    }
    return opened
  }
  return {
    call(options) {
      const session = sessionNow()
      const fields: Record<string, string | string[]> = {
        ':method': options.method ?? 'GET',
        ':path': options.path ?? '/',
        ...options.headers,
      }
      const stream = session.request(fields, {
        endStream: options.open !== true && options.body === undefined,
      })
      stream.on('error', () => undefined)
      const continued = new Promise<void>((resolve) => stream.once('continue', resolve))
      const head = new Promise<CallHead>((resolve, reject) => {
        stream.once('response', (headers) => {
          const plain: Record<string, string | string[] | undefined> = {}
          for (const [name, value] of Object.entries(headers))
            plain[name] = typeof value === 'number' ? String(value) : value
          resolve({ status: Number(headers[':status']), headers: plain })
        })
        stream.once('close', () => reject(new Error('closed before a response')))
      })
      const source = head.then((): Readable => stream)
      quiet(source, head)
      begin(stream, options)
      return callOf({
        writable: stream,
        source,
        head,
        continued,
        abort: () => stream.destroy(new Error('aborted')),
      })
    },
    close: () => opened?.destroy(),
  }
}

function begin(writable: Writable & { flushHeaders?: () => void }, options: CallOptions): void {
  if (options.open === true) {
    writable.flushHeaders?.()
    if (options.body !== undefined) writable.write(options.body)
  } else writable.end(options.body)
}

/** A test that does not look at the outcome must not fail by it. */
function quiet(...promises: readonly Promise<unknown>[]): void {
  for (const promise of promises) promise.catch(() => undefined)
}

function callOf(parts: {
  readonly writable: Writable
  readonly source: Promise<Readable>
  readonly head: Promise<CallHead>
  readonly continued: Promise<void>
  readonly abort: () => void
}): Call {
  return {
    head: parts.head,
    source: parts.source,
    continued: parts.continued,
    content: async () => collect(await parts.source),
    write: (chunk) => {
      parts.writable.write(chunk)
    },
    finish: () => {
      parts.writable.end()
    },
    abort: parts.abort,
  }
}

function collect(source: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let ended = false
    source.on('data', (chunk: Buffer) => chunks.push(chunk))
    source.on('end', () => {
      ended = true
    })
    source.on('error', reject)
    source.on('close', () => {
      const broken = 'rstCode' in source && source.rstCode !== 0
      if (ended && !broken) resolve(Buffer.concat(chunks))
      else reject(new Error('the reply was broken off'))
    })
  })
}
