/**
 * HTTP/2 frames by hand (RFC 9113 §4.1) and a header block of literals (RFC 7541 §6.2.2), for attack tests: a
 * conforming client refuses to send what these must send. Assumes short strings (below 127 bytes are one byte long).
 */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const

export const endStream = 1
export const endHeaders = 4

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function encodeFrame(frame: Frame): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(frame.payload.length, 0, 3)
  head.writeUInt8(frame.type, 3)
  head.writeUInt8(frame.flags, 4)
  head.writeUInt32BE(frame.stream, 5)
  return Buffer.concat([head, frame.payload])
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  // RFC 7541 §5.1: prefix of seven bits, then groups of seven.
  const length: number[] = [127]
  let rest = bytes.length - 127
  while (rest >= 128) {
    length.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  length.push(rest)
  return Buffer.concat([Buffer.from(length), bytes])
}

export function encodeFields(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), encodeString(name), encodeString(value)]),
  )
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const emptySettings = encodeFrame({
  type: frameTypes.settings,
  flags: 0,
  stream: 0,
  payload: Buffer.alloc(0),
})

export interface RawHttp2 {
  readonly socket: TLSSocket
  readonly frames: readonly Frame[]
  /** Resolves with the time when the server closed; false after `waitMs`. */
  closed(waitMs: number): Promise<boolean>
  send(...frames: readonly Frame[]): void
}

/**
 * A TLS connection with ALPN h2; preface and settings are sent unless told otherwise.
 * @param from the address to call from; any of 127.0.0.0/8 is another client
 */
export async function openRawHttp2(port: number, withPreface = true, from = '127.0.0.1'): Promise<RawHttp2> {
  // `node:tls` hands the local address on to the socket that it makes, which its types do not say.
  const options = {
    port,
    host: '127.0.0.1',
    localAddress: from,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  }
  const socket = connect(options)
  await once(socket, 'secureConnect')
  socket.on('error', () => undefined)
  const frames: Frame[] = []
  let pending = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 9) {
      const length = pending.readUIntBE(0, 3)
      if (pending.length < 9 + length) return
      frames.push({
        type: pending.readUInt8(3),
        flags: pending.readUInt8(4),
        stream: pending.readUInt32BE(5),
        payload: pending.subarray(9, 9 + length),
      })
      pending = pending.subarray(9 + length)
    }
  })
  if (withPreface) socket.write(Buffer.concat([preface, emptySettings]))
  return {
    socket,
    frames,
    closed: (waitMs) =>
      new Promise((resolve) => {
        if (socket.closed) resolve(true)
        const timer = setTimeout(() => resolve(false), waitMs)
        socket.once('close', () => {
          clearTimeout(timer)
          resolve(true)
        })
      }),
    send(...sent) {
      if (!socket.destroyed) socket.write(Buffer.concat(sent.map(encodeFrame)))
    },
  }
}
