/** A reply that is sent and remembered at the same time, up to a bound. */
import type { RememberedReply } from '../ports/idempotency.ts'
import type { Reply } from '../ports/listener.ts'

export interface CapturedReply {
  readonly reply: Reply
  /** The whole reply, or null when it was larger than the bound or was cut. */
  take(): RememberedReply | null
}

const maxBytes = 1_048_576

/** Wrap `inner`. */
export function captureReply(inner: Reply): CapturedReply {
  let status = 0
  let headers: readonly string[] = []
  let pieces: Buffer[] | null = []
  let size = 0
  const keep = (piece: Uint8Array | string): void => {
    size += piece.length
    if (size > maxBytes) pieces = null
    else pieces?.push(Buffer.from(piece))
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
      pieces = null
      inner.destroy()
    },
  }
  return {
    reply,
    take: () => (pieces === null || status === 0 ? null : { status, headers, body: Buffer.concat(pieces) }),
  }
}
