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

const noBytes = Buffer.alloc(0)

/** Wrap `inner`. */
export function captureReply(inner: Reply, { maxBytes, whenFull }: CaptureBounds): CapturedReply {
  let status = 0
  let headers: readonly string[] = []
  let kept: Buffer | null = noBytes
  let size = 0
  const keep = (piece: Uint8Array | string): void => {
    const before = size
    size += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength
    if (size > maxBytes && whenFull === 'drop') kept = null
    if (kept === null || before >= maxBytes) return
    const wanted = Math.min(size, maxBytes)
    if (wanted > kept.length)
      kept = grown(kept, before, Math.min(maxBytes, Math.max(wanted, 2 * kept.length)))
    kept.set(Buffer.from(piece).subarray(0, wanted - before), before)
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
      if (whenFull === 'drop') kept = null
      inner.destroy()
    },
  }
  return {
    reply,
    get bytes() {
      return size
    },
    take() {
      if (kept === null || status === 0) return null
      const length = Math.min(size, maxBytes)
      return { status, headers, body: grown(kept, length, length) }
    },
  }
}

/**
 * The first `length` bytes in `capacity` bytes of their own: a view on Node's shared pool would take the whole pool
 * along, to another thread and for as long as the reply is remembered.
 */
function grown(bytes: Buffer, length: number, capacity: number): Buffer {
  const own = Buffer.allocUnsafeSlow(capacity)
  bytes.copy(own, 0, 0, length)
  return own
}
