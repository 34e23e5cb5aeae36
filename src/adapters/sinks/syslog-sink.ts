/**
 * Events to a syslog receiver over TLS (RFC 5425) or, on this machine alone, plain TCP; each message is counted in
 * octets (RFC 6587 §3.4.1).
 *
 * Syslog has no acknowledgement. So each batch has a connection of its own, and counts as taken when the receiver closed
 * it in order after we did. A receiver that goes away with unread bytes resets the connection, and one that closes before
 * we do (we wait `settleMs` after the last byte) has not read it: then the batch is sent again. What crosses on the way
 * within that time, or is lost after it was read, no sender of syslog can know.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { EgressAddress, EgressGuard } from '../../ports/egress.ts'
import type { DeliveryOutcome, EventSink } from '../../ports/event-sink.ts'
import { again, taken } from './outcome.ts'

export interface SyslogSinkOptions {
  readonly name: string
  readonly egress: EgressGuard
  readonly host: string
  readonly port: number
  /** False: plain TCP, and only to a loopback address. */
  readonly tls: boolean
  readonly allowPrivateNetwork: boolean
  /** PEM, read anew for each connection; null where the reference leads to nothing, undefined where none is set. */
  readonly authority: () => string | null | undefined
  /** Certificate and key that this gateway shows. */
  readonly identity: () => { readonly certificate: string; readonly key: string } | null | undefined
  readonly timeoutMs: number
  readonly message: (event: OversightEvent) => string
}

/** Syslog acknowledges nothing: a receiver that closes within this time of the last byte has not read the batch. */
const settleMs = 20
const loopback = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/

export function createSyslogSink(options: SyslogSinkOptions): EventSink {
  return {
    name: options.name,
    async deliver(batch, signal): Promise<DeliveryOutcome> {
      const bytes = Buffer.concat(batch.map((event) => octetCounted(options.message(event))))
      const problem = await send(options, bytes, signal)
      return problem === null ? taken : again(batch.length, problem)
    },
    close: () => Promise.resolve(),
  }
}

function octetCounted(message: string): Buffer {
  const bytes = Buffer.from(message)
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes])
}

/** Null: the receiver has read all of it. */
async function send(options: SyslogSinkOptions, bytes: Buffer, signal: AbortSignal): Promise<string | null> {
  const found = await addressesOf(options)
  if (typeof found === 'string') return found
  let problem: string | null = 'it has no address'
  for (const { address } of found) {
    const socket = open(options, address)
    if (socket === null) return 'its certificate or key is not where the configuration says'
    problem = await hand(socket, { bytes, timeoutMs: options.timeoutMs, signal, tls: options.tls })
    if (problem === null || signal.aborted) return problem
  }
  return problem
}

function addressesOf({
  egress,
  host,
  tls,
  allowPrivateNetwork,
}: SyslogSinkOptions): Promise<readonly EgressAddress[] | string> {
  return new Promise((resolve) => {
    egress.resolve(host, { allowPrivateNetwork: allowPrivateNetwork || !tls }, (failure, addresses) => {
      if (failure !== null) return resolve(failure.kind)
      const isLocal = addresses.every(({ address }) => loopback.test(address))
      resolve(tls || isLocal ? addresses : 'without TLS only this machine is called')
    })
  })
}

function open(options: SyslogSinkOptions, address: string): Socket | null {
  const { host, port, tls } = options
  if (!tls) return connectPlain({ host: address, port, allowHalfOpen: true })
  const authority = options.authority()
  const identity = options.identity()
  if (authority === null || identity === null) return null
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
  const own = {
    host: address,
    port,
    minVersion: 'TLSv1.2' as const,
    allowHalfOpen: true,
    ...name,
    ...(authority === undefined ? {} : { ca: authority }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  }
  return connectTls(own)
}

interface Handing {
  readonly bytes: Buffer
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly tls: boolean
}

/** Write all, close our side, wait for the other. The socket is gone afterwards. */
function hand(socket: Socket, { bytes, timeoutMs, signal, tls }: Handing): Promise<string | null> {
  return new Promise((resolve) => {
    let isWritten = false
    let pause: NodeJS.Timeout | undefined
    const finish = (problem: string | null): void => {
      signal.removeEventListener('abort', giveUp)
      clearTimeout(timer)
      clearTimeout(pause)
      socket.destroy()
      resolve(problem)
    }
    const giveUp = (): void => finish('the call was given up')
    const timer = setTimeout(() => finish('the receiver took too long'), timeoutMs)
    signal.addEventListener('abort', giveUp, { once: true })
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.write(bytes, () => {
        pause = setTimeout(() => {
          isWritten = true
          socket.end()
        }, settleMs)
      })
    })
    // What it says is nothing to us, but must be read for its end to be seen.
    socket.resume()
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(`the connection failed (${error.code ?? 'tls'})`),
    )
    socket.once('end', () => {
      if (!isWritten) finish('the receiver closed the connection early')
    })
    socket.once('close', () => finish(isWritten ? null : 'the receiver closed the connection early'))
  })
}
