/** Calls made by the contract suite of `UpstreamClient`, and what the handler heard of each. */
import assert from 'node:assert/strict'
import type {
  BodySink,
  BodyStream,
  ClientCall,
  UpstreamCall,
  UpstreamClient,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamOrigin,
  UpstreamRequest,
} from './upstream-client.ts'

export interface Outcome {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly failure: UpstreamFailure | null
  /** Order of what was heard; runs of `data` are one entry. */
  readonly events: readonly string[]
  /** Milliseconds from the call to its end. */
  readonly durationMs: number
  /** As the call tells after its end. */
  readonly isSent: boolean
}

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly string[]
  readonly body?: UpstreamRequest['body']
  readonly timeouts?: Partial<UpstreamRequest['timeouts']>
  /** Runs as each event is heard, with the call. */
  readonly onEvent?: (event: 'head' | 'data', call: UpstreamCall, chunk: Buffer | null) => void
  /** Receives the call as soon as there is one. */
  readonly onCall?: (call: UpstreamCall) => void
}

const patientMs = 20_000

export function requestOf(origin: UpstreamOrigin, ask: Ask): UpstreamRequest {
  return {
    origin,
    method: ask.method ?? 'GET',
    path: ask.path ?? '/',
    headers: ask.headers ?? [],
    body: ask.body ?? null,
    timeouts: {
      connectMs: patientMs,
      firstByteMs: patientMs,
      idleMs: patientMs,
      totalMs: patientMs,
      ...ask.timeouts,
    },
  }
}

/** Make a call and wait for its end. Fails when anything is heard after the end, or before the call returned. */
export function outcomeOf(client: UpstreamClient, origin: UpstreamOrigin, ask: Ask = {}): Promise<Outcome> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const events: string[] = []
    const chunks: Buffer[] = []
    let status = 0
    let headers: readonly string[] = []
    let over = false
    const returned: { call: ClientCall | null } = { call: null }
    const heard = (event: string): UpstreamCall => {
      if (over) reject(new Error(`${event} after the end`))
      if (returned.call === null) throw new Error(`${event} before the call returned`)
      if (event !== 'data' || events.at(-1) !== 'data') events.push(event)
      return returned.call
    }
    const finish = (failure: UpstreamFailure | null): void => {
      over = true
      const durationMs = performance.now() - startedAt
      const outcome = {
        status,
        headers,
        body: Buffer.concat(chunks),
        failure,
        events,
        durationMs,
        isSent: returned.call?.isSent ?? false,
      }
      // Whoever would speak twice gets the chance to.
      setTimeout(() => resolve(outcome), 5)
    }
    const handler: UpstreamHandler = {
      head(code, list) {
        status = code
        headers = list
        const call = heard('head')
        ask.onEvent?.('head', call, null)
      },
      data(chunk) {
        chunks.push(chunk)
        const call = heard('data')
        ask.onEvent?.('data', call, chunk)
      },
      end() {
        heard('end')
        finish(null)
      },
      failure(failure) {
        heard('failure')
        finish(failure)
      },
    }
    returned.call = client.call(requestOf(origin, ask), handler)
    ask.onCall?.(returned.call)
  })
}

/** A handler that counts and keeps nothing, for calls that are watched from outside. */
export function countingHandler(): UpstreamHandler & { bytes: number; calls: number; ended: boolean } {
  return {
    bytes: 0,
    calls: 0,
    ended: false,
    head() {
      this.calls += 1
    },
    data(chunk) {
      this.calls += 1
      this.bytes += chunk.length
    },
    end() {
      this.calls += 1
      this.ended = true
    },
    failure() {
      this.calls += 1
      this.ended = true
    },
  }
}

/** Wait until `holds` does, at most 5 s. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!holds()) {
    assert.ok(performance.now() < deadline, `never happened: ${what}`)
    await pass(5)
  }
}

export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export interface PushedBody extends BodyStream {
  readonly sink: BodySink | null
  readonly pauses: number
}

/** A body that the test pushes by hand. */
export function pushedBody(length: number | undefined): PushedBody {
  const state: { sink: BodySink | null; pauses: number } = { sink: null, pauses: 0 }
  return {
    length,
    get sink() {
      return state.sink
    },
    get pauses() {
      return state.pauses
    },
    start(sink) {
      state.sink = sink
    },
    pause() {
      state.pauses += 1
    },
    resume() {},
  }
}

/** A body that gives `count` times `chunk`, as fast as it is taken. */
export function repeatedBody(chunk: Buffer, count: number, announced: boolean): PushedBody {
  const state = { given: 0, flowing: true, pauses: 0, sink: null as BodySink | null }
  const pump = (): void => {
    const { sink } = state
    while (sink !== null && state.flowing && state.given < count) {
      state.given += 1
      sink.data(chunk)
      if (state.given === count) sink.end()
    }
  }
  return {
    length: announced ? chunk.length * count : undefined,
    get sink() {
      return state.sink
    },
    get pauses() {
      return state.pauses
    },
    start(sink) {
      state.sink = sink
      setImmediate(pump)
    },
    pause() {
      state.flowing = false
      state.pauses += 1
    },
    resume() {
      state.flowing = true
      setImmediate(pump)
    },
  }
}
