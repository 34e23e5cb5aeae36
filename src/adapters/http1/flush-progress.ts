/**
 * How much output still waits: a figure that changes whenever the reader takes something, also in the middle of
 * one large write, so that a slow reader is told from a stalled one. `writeQueueSize` is what Node's own socket
 * timeout looks at; where a handle lacks it, whole writes are counted.
 */
import type { Socket } from 'node:net'

interface QueueingHandle {
  readonly writeQueueSize?: unknown
}

export function pendingOutput(socket: Socket): number {
  const handle = (socket as { readonly _handle?: QueueingHandle | null })._handle
  const queued = handle?.writeQueueSize
  return socket.writableLength + (typeof queued === 'number' ? queued : 0)
}
