/**
 * How much output still waits: a figure that changes whenever the reader takes something, also in the middle of
 * one large write, so that a slow reader is told from a stalled one. `writeQueueSize` is what Node's own socket
 * timeout looks at; under TLS the encrypted bytes wait in the handle below. Where a handle lacks the figure, whole
 * writes are counted.
 */
import type { Socket } from 'node:net'

interface QueueingHandle {
  readonly writeQueueSize?: unknown
  readonly _parent?: QueueingHandle | null
}

export function pendingOutput(socket: Socket): number {
  const handle = (socket as { readonly _handle?: QueueingHandle | null })._handle
  return socket.writableLength + queued(handle) + queued(handle?._parent)
}

function queued(handle: QueueingHandle | null | undefined): number {
  const size = handle?.writeQueueSize
  return typeof size === 'number' ? size : 0
}
