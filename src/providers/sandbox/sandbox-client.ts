/**
 * An upstream client in front of another: calls to the sandbox's host are answered in process, all others go on. The
 * sandbox's host never reaches a name server.
 */
import type { UpstreamTimeouts } from '../../domain/entities.ts'
import type {
  BodyStream,
  ClientCall,
  UpstreamClient,
  UpstreamFailureKind,
  UpstreamHandler,
  UpstreamRequest,
} from '../../ports/upstream-client.ts'
import { sandboxHost } from '../catalogue/rows.ts'
import { type Play, playSteps } from './play-steps.ts'
import type { Sandbox } from './sandbox.ts'

/** Uploads to the sandbox beyond this are counted and dropped. */
const maxKeptBytes = 1_048_576

function isStream(body: UpstreamRequest['body']): body is BodyStream {
  return body !== null && !(body instanceof Uint8Array)
}

/** One call. Deadlines hold as at a real upstream, so that timeouts can be tried out. */
function callSandbox(sandbox: Sandbox, request: UpstreamRequest, handler: UpstreamHandler): ClientCall {
  let play: Play | undefined
  let paused = false
  let over = false
  let headed = false
  let silence: NodeJS.Timeout | undefined
  const total = setTimeout(() => fail('total-timeout', false), request.timeouts.totalMs)

  function finish(): boolean {
    if (over) return false
    over = true
    clearTimeout(silence)
    clearTimeout(total)
    play?.abort()
    return true
  }
  function fail(kind: UpstreamFailureKind, unsent: boolean): void {
    if (unsent) call.isSent = false
    if (finish()) handler.failure({ kind, internal: `sandbox: ${kind}`, unsent })
  }
  function watch(limit: keyof UpstreamTimeouts, kind: UpstreamFailureKind): void {
    clearTimeout(silence)
    if (!over) silence = setTimeout(() => fail(kind, false), request.timeouts[limit])
  }
  function begin(body: Buffer): void {
    if (over) return
    call.isSent = true
    watch('firstByteMs', 'first-byte-timeout')
    play = playSteps(sandbox({ method: request.method, path: request.path, body }), {
      head: (status, headers) => {
        headed = true
        watch('idleMs', 'idle-timeout')
        handler.head(status, headers)
      },
      data: (bytes) => {
        if (!paused) silence?.refresh()
        handler.data(bytes)
      },
      end: () => {
        if (finish()) handler.end()
      },
      reset: () => fail('reset', false),
      refuse: () => fail('connect', true),
    })
    if (paused) play.pause()
  }

  const call = {
    isSent: false,
    pause: () => {
      paused = true
      // A paused reader is not a silent upstream.
      clearTimeout(silence)
      play?.pause()
    },
    resume: () => {
      if (!paused) return
      paused = false
      if (headed) watch('idleMs', 'idle-timeout')
      else watch('firstByteMs', 'first-byte-timeout')
      play?.resume()
    },
    abort: () => void finish(),
  }
  const { body } = request
  if (isStream(body)) collect(body, { done: begin, failure: () => fail('body-source', false) })
  else begin(body === null ? Buffer.alloc(0) : Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  return call
}

interface Collected {
  done(body: Buffer): void
  failure(): void
}

/** Reads an upload; what exceeds the bound is dropped. */
function collect(stream: BodyStream, collected: Collected): void {
  const chunks: Uint8Array[] = []
  let kept = 0
  stream.start({
    data: (chunk) => {
      if (kept + chunk.length > maxKeptBytes) return
      kept += chunk.length
      chunks.push(chunk)
    },
    end: () => collected.done(Buffer.concat(chunks, kept)),
    failure: () => collected.failure(),
  })
}

/**
 * @param next takes every call that is not for the sandbox
 */
export function createSandboxClient(sandbox: Sandbox, next: UpstreamClient): UpstreamClient {
  return {
    call: (request, handler) =>
      request.origin.host === sandboxHost
        ? callSandbox(sandbox, request, handler)
        : next.call(request, handler),
    close: () => next.close(),
  }
}
