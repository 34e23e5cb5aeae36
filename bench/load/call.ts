/**
 * The caller of a measurement: keep-alive connections on raw sockets, one request at a time on each. Knows enough
 * HTTP/1.1 to see where an answer ends (`content-length`, chunked). For loopback measurements only.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { nowMicroseconds, stampDigits, stampMarker } from './mock-upstream.ts'

/** Where and how to ask. */
export interface Endpoint {
  readonly port: number
  /** PEM of the authority; null: plain HTTP. */
  readonly authority: string | null
  /** Name → value, sent with each request. */
  readonly headers: Readonly<Record<string, string>>
  readonly path: string
}

/** What happens on a call. `broken` is the end of a call that did not reach the end of its answer. */
export interface CallEvents {
  /** First byte of the body. */
  readonly first?: () => void
  /** A stamped chunk has arrived, `delayUs` after the upstream sent it. */
  readonly chunk?: (delayUs: number) => void
  readonly end: (status: number) => void
  readonly broken: (reason: string) => void
}

/** The bytes of a request. */
export function requestBytes(endpoint: Endpoint, body: string): Buffer {
  const lines = Object.entries(endpoint.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `POST ${endpoint.path} HTTP/1.1\r\nhost: 127.0.0.1:${endpoint.port}\r\ncontent-type: application/json\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

const headKept = 8192

/** One connection and the call on it. */
class Connection {
  readonly socket: Socket
  #events: CallEvents | null = null
  #head = ''
  #inBody = false
  #status = 0
  #left = -1
  #tail = ''
  #seenBody = false

  constructor(endpoint: Endpoint, opened: (connection: Connection) => void) {
    const { port, authority } = endpoint
    this.socket =
      authority === null
        ? connect({ host: '127.0.0.1', port, noDelay: true }, () => opened(this))
        : connectTls({ host: '127.0.0.1', port, ca: authority, servername: 'localhost' }, () => opened(this))
    if (authority !== null) this.socket.setNoDelay(true)
    this.socket.on('data', (bytes) => this.#take(bytes))
    this.socket.on('error', (error) => this.#break(error.message))
    this.socket.on('close', () => this.#break('closed'))
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable
  }

  send(bytes: Buffer, events: CallEvents): void {
    this.#events = events
    this.#head = ''
    this.#inBody = false
    this.#left = -1
    this.#tail = ''
    this.#seenBody = false
    this.socket.write(bytes)
  }

  #break(reason: string): void {
    const events = this.#events
    this.#events = null
    events?.broken(reason)
  }

  #take(bytes: Buffer): void {
    let text = bytes.toString('latin1')
    if (!this.#inBody) {
      this.#head += text
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) {
        if (this.#head.length > headKept) this.socket.destroy()
        return
      }
      text = this.#head.slice(end + 4)
      this.#readHead(this.#head.slice(0, end))
      this.#inBody = true
    }
    if (text !== '') this.#takeBody(text)
  }

  #readHead(head: string): void {
    this.#status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    this.#left = length === null ? -1 : Number(length[1])
  }

  #takeBody(text: string): void {
    const events = this.#events
    if (events === null) return
    if (!this.#seenBody) {
      this.#seenBody = true
      events.first?.()
    }
    if (this.#left >= 0) {
      this.#left -= text.length
      if (this.#left <= 0) this.#finish()
      return
    }
    const held = this.#tail + text
    const from = events.chunk === undefined ? 0 : readStamps(held, events.chunk)
    const ended = held.endsWith('\r\n0\r\n\r\n') || held === '0\r\n\r\n'
    this.#tail = held.slice(Math.max(from, held.length - stampMarker.length - stampDigits))
    if (ended) this.#finish()
  }

  #finish(): void {
    const events = this.#events
    this.#events = null
    events?.end(this.#status)
  }
}

/** Report every whole stamp of `text`; returns one past the last one. */
function readStamps(text: string, report: (delayUs: number) => void): number {
  let from = 0
  const now = nowMicroseconds()
  for (;;) {
    const at = text.indexOf(stampMarker, from)
    const end = at + stampMarker.length + stampDigits
    if (at < 0 || end > text.length) return from
    report(now - Number(text.slice(at + stampMarker.length, end)))
    from = end
  }
}

export interface Caller {
  /** Send `bytes` on a free connection, or on a new one. */
  call(bytes: Buffer, events: CallEvents): void
  close(): void
}

/** Connections to one endpoint. */
export function openCaller(endpoint: Endpoint): Caller {
  const free: Connection[] = []
  const all = new Set<Connection>()

  function send(connection: Connection, bytes: Buffer, events: CallEvents): void {
    connection.send(bytes, {
      ...events,
      end: (status) => {
        free.push(connection)
        events.end(status)
      },
    })
  }

  return {
    call(bytes, events) {
      let connection = free.pop()
      while (connection !== undefined && !connection.isOpen) connection = free.pop()
      if (connection !== undefined) return send(connection, bytes, events)
      const opened = new Connection(endpoint, (ready) => {
        failed.delete(ready)
        send(ready, bytes, events)
      })
      const failed = new Set([opened])
      all.add(opened)
      opened.socket.once('close', () => {
        all.delete(opened)
        if (failed.has(opened)) events.broken('not connected')
      })
    },
    close() {
      for (const connection of all) connection.socket.destroy()
    },
  }
}
