/**
 * How much output the reader has taken, as far as this process can see: what the kernel took from it. The figure grows
 * also in the middle of one large write, so that a slow reader is told from a stalled one. `bytesWritten` and
 * `writeQueueSize` are what Node's own socket timeout looks at; under TLS the encrypted bytes wait in the handle below.
 * Where a handle lacks the figures, whole writes are counted.
 */
import type { Socket } from 'node:net'

interface QueueingHandle {
  readonly writeQueueSize?: unknown
  readonly bytesWritten?: unknown
  readonly _parent?: QueueingHandle | null
}

/** Bytes that have left so far; grows only. */
export function takenOutput(socket: Socket): number {
  const handle = lowestHandle(socket)
  const written = handle?.bytesWritten
  if (typeof written === 'number') return written - queued(handle)
  return socket.bytesWritten - socket.writableLength
}

/** Bytes that wait, here and below. */
export function pendingOutput(socket: Socket): number {
  const own = (socket as { readonly _handle?: QueueingHandle | null })._handle
  return socket.writableLength + queued(own) + queued(own?._parent)
}

function lowestHandle(socket: Socket): QueueingHandle | null | undefined {
  const own = (socket as { readonly _handle?: QueueingHandle | null })._handle
  return own?._parent ?? own
}

function queued(handle: QueueingHandle | null | undefined): number {
  const size = handle?.writeQueueSize
  return typeof size === 'number' ? size : 0
}
