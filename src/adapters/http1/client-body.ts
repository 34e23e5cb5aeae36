/**
 * Sends a request body that does not go out with the head: a large one in slices, a streamed one as it comes,
 * each no faster than the socket takes it. Bound: one slice (128 KiB), or one chunk of the source, beyond the
 * socket's own high-water mark.
 */
import type { BodySink, BodyStream } from '../../ports/upstream-client.ts'
import type { Http1Connection } from './client-connection.ts'

export interface BodySender {
  /** The socket takes bytes again. */
  drained(): void
  /** Send no more (the upstream has answered already, or the call is over). */
  stop(): void
}

export interface BodyProgress {
  /** Bytes were handed on; the socket's willingness is given: false while it must drain. */
  progressed(flowing: boolean): void
  sent(): void
  /** The source broke off or did not keep to its announced length. */
  sourceFailed(reason: string): void
}

const sliceBytes = 131_072

/** Bodies from this size on are sliced, so that a stalled upload is noticed and an early answer stops it. */
export const slicedBodyBytes = 262_144

export function sendSlices(
  connection: Http1Connection,
  body: Uint8Array,
  progress: BodyProgress,
): BodySender {
  let offset = 0
  let stopped = false

  function pump(): void {
    while (!stopped && offset < body.length) {
      const slice = body.subarray(offset, offset + sliceBytes)
      offset += slice.length
      const flowing = connection.write(slice)
      if (offset >= body.length) progress.sent()
      else progress.progressed(flowing)
      if (!flowing) return
    }
  }

  pump()
  return {
    drained: pump,
    stop() {
      stopped = true
    },
  }
}

export function sendStream(
  connection: Http1Connection,
  body: BodyStream,
  progress: BodyProgress,
): BodySender {
  let remaining = body.length
  let stopped = false
  let waiting = false

  function fail(reason: string): void {
    stopped = true
    progress.sourceFailed(reason)
  }

  const sink: BodySink = {
    data(chunk) {
      if (stopped || chunk.length === 0) return
      if (remaining !== undefined) {
        if (chunk.length > remaining) return fail('body longer than announced')
        remaining -= chunk.length
      }
      const flowing = remaining === undefined ? connection.writeChunk(chunk) : connection.write(chunk)
      progress.progressed(flowing)
      if (!flowing && !waiting && !stopped) {
        waiting = true
        body.pause()
      }
    },
    end() {
      if (stopped) return
      if (remaining !== undefined && remaining > 0) return fail('body shorter than announced')
      stopped = true
      if (remaining === undefined) connection.writeLastChunk()
      progress.sent()
    },
    failure() {
      if (!stopped) fail('body source broke off')
    },
  }

  body.start(sink)
  return {
    drained() {
      if (stopped || !waiting) return
      waiting = false
      progress.progressed(true)
      body.resume()
    },
    stop() {
      // Source keeps what it has; its owner ends it with the call.
      if (!stopped && !waiting) body.pause()
      stopped = true
    },
  }
}
