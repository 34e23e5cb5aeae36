/** A reply that is sent and remembered at the same time, up to a bound. */
import type { RememberedReply } from '../ports/idempotency.ts'
import type { Reply } from '../ports/listener.ts'

export interface CapturedReply {
  readonly reply: Reply
  /** Size of the body so far, kept or not. */
  readonly bytes: number
  /** The reply; null when none was begun, and with `drop` when it was larger than the bound or was cut off. */
  take(): RememberedReply | null
}

export interface CaptureBounds {
  readonly maxBytes: number
  /** `drop`: a whole reply or none. `cut`: its beginning. */
  readonly whenFull: 'drop' | 'cut'
}

/** Wrap `inner`. */
export function captureReply(inner: Reply, { maxBytes, whenFull }: CaptureBounds): CapturedReply {
  let status = 0
  let headers: readonly string[] = []
  let pieces: Buffer[] | null = []
  let size = 0
  const keep = (piece: Uint8Array | string): void => {
    const room = maxBytes - size
    size += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength
    if (size > maxBytes && whenFull === 'drop') pieces = null
    else if (room > 0) pieces?.push(Buffer.from(Buffer.from(piece).subarray(0, room)))
  }
  const reply: Reply = {
    get headSent() {
      return inner.headSent
    },
    get ended() {
      return inner.ended
    },
    head(code, list) {
      status = code
      headers = [...list]
      inner.head(code, list)
    },
    flushHead: () => inner.flushHead(),
    write(chunk) {
      keep(chunk)
      return inner.write(chunk)
    },
    end(chunk) {
      if (chunk !== undefined) keep(chunk)
      inner.end(chunk)
    },
    send(code, list, body) {
      status = code
      headers = [...list]
      keep(body)
      inner.send(code, list, body)
    },
    onDrain: (handler) => inner.onDrain(handler),
    destroy() {
      if (whenFull === 'drop') pieces = null
      inner.destroy()
    },
  }
  return {
    reply,
    get bytes() {
      return size
    },
    take: () => (pieces === null || status === 0 ? null : { status, headers, body: Buffer.concat(pieces) }),
  }
}
