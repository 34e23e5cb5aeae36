/**
 * One thread per worker that reads large bodies, started with the first. Jobs wait here in order; a body is moved to the
 * thread when its turn comes and moved back, not copied. A thread that ends or hangs costs the job that it had, and the
 * next job gets a new one; the memory of what was parsed goes with a thread that is idle.
 *
 * Bounds: `LargeBodyBounds`. What a body may hold (`bounds.bodyBytes`, `bounds.jsonKeys`) bounds the heap; a limit of
 * the thread would end the whole process when JSON.parse reached it.
 */
import { Worker } from 'node:worker_threads'
import type { LargeBodyAnswer, LargeBodyReader, LargeBodyTerms } from '../gateway/index.ts'
import type { LargeBodyJob, LargeBodyResult } from './large-body-thread.ts'

/** Buffers up to here may come from a pool. */
const poolBytes = 65_536
const entry = new URL('./large-body-thread.ts', import.meta.url)

export interface LargeBodyBounds {
  /** Jobs. Their bodies count in the budget of bodies. */
  readonly maxWaiting: number
  /** For one job, from its turn on. */
  readonly jobTimeoutMs: number
  /** After which a thread without jobs is ended. */
  readonly idleMs: number
}

const usualBounds: LargeBodyBounds = { maxWaiting: 256, jobTimeoutMs: 20_000, idleMs: 30_000 }

interface Job {
  readonly body: Buffer
  readonly terms: LargeBodyTerms
  readonly done: (answer: LargeBodyAnswer) => void
}

function nobody(): void {}

/** Memory that may be moved away: what shares its memory with others (pools, slices) is copied. */
function ownBytes(body: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = body
  const isOwn = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength <= 2 * byteLength
  return isOwn && byteLength > poolBytes ? new Uint8Array(buffer, 0, byteLength) : new Uint8Array(body)
}

export interface StoppableLargeBodyReader extends LargeBodyReader {
  /** Ends the thread; jobs that wait are lost. */
  stop(): void
}

function openThread(tell: (from: Worker, answer: LargeBodyAnswer) => void): Worker {
  const opened = new Worker(entry)
  opened.on('message', ({ body, digest }: LargeBodyResult) =>
    tell(opened, { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), digest }),
  )
  opened.on('error', () => tell(opened, 'lost'))
  opened.on('exit', () => tell(opened, 'lost'))
  opened.unref()
  return opened
}

export function createLargeBodyReader(own: Partial<LargeBodyBounds> = {}): StoppableLargeBodyReader {
  const { maxWaiting, jobTimeoutMs, idleMs } = { ...usualBounds, ...own }
  const waiting = new Set<Job>()
  /** Whom the running job answers. */
  let running: Job['done'] | null = null
  let thread: Worker | null = null
  let alarm: NodeJS.Timeout | undefined

  function next(): void {
    clearTimeout(alarm)
    if (running !== null) return
    const [job] = waiting
    if (job === undefined) {
      alarm = setTimeout(end, idleMs).unref()
      return
    }
    waiting.delete(job)
    running = job.done
    alarm = setTimeout(end, jobTimeoutMs).unref()
    const body = ownBytes(job.body)
    const message: LargeBodyJob = { body, terms: job.terms }
    thread ??= openThread(settle)
    thread.postMessage(message, [body.buffer])
  }

  function settle(from: Worker, answer: LargeBodyAnswer): void {
    if (from !== thread) return
    if (answer === 'lost') thread = null
    const done = running
    running = null
    done?.(answer)
    next()
  }

  function end(): void {
    const ended = thread
    if (ended === null) return
    void ended.terminate()
    settle(ended, 'lost')
  }

  return {
    read(body, terms, done) {
      if (waiting.size >= maxWaiting) {
        setImmediate(done, 'busy')
        return () => {}
      }
      const job: Job = { body, terms, done }
      waiting.add(job)
      next()
      return () => {
        waiting.delete(job)
        // What is being read is read to its end, for nobody.
        if (running === done) running = nobody
      }
    },
    stop() {
      waiting.clear()
      end()
      clearTimeout(alarm)
    },
  }
}
