/**
 * What every dialect on server-sent events shares: parse events, parse their JSON, notice `[DONE]`, a broken-off
 * stream, an unreadable event, and end exactly once. A dialect brings a handler of parsed events.
 * Bound: one event (`sse.ts`); nothing else is held here.
 */
import type { CanonicalError, CanonicalEvent } from '../domain/canonical.ts'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { StreamReader } from './dialect.ts'
import { parseJson } from './reading.ts'
import { type SseEvent, sseParser } from './sse.ts'
import { brokenStream, malformedStream } from './upstream-error.ts'

export type Emit = (event: CanonicalEvent) => void

export interface SseHandler {
  /** One event. Returns an error to break off with, `true` when the stream is complete, else undefined. */
  read(body: JsonObject, emit: Emit, eventName: string): CanonicalError | true | undefined
  /**
   * The stream is over (`[DONE]`, end of bytes, or `read` said so): emits what is outstanding, without `end`.
   * Returns false when it was cut short.
   */
  close(emit: Emit): boolean
}

export function sseStreamReader(handler: SseHandler): StreamReader {
  const parser = sseParser()
  let ended = false
  let sink: Emit = () => {}

  function fail(error: CanonicalError): void {
    ended = true
    sink({ type: 'error', error })
    sink({ type: 'end' })
  }

  function close(): void {
    if (!handler.close(sink)) {
      fail(brokenStream())
      return
    }
    ended = true
    sink({ type: 'end' })
  }

  function onEvent(event: SseEvent): void {
    if (ended) return
    if (event.data === '[DONE]') {
      close()
      return
    }
    const body = parseJson(event.data)
    if (!isJsonObject(body)) {
      fail(malformedStream())
      return
    }
    const outcome = handler.read(body, sink, event.event)
    if (outcome === true) close()
    else if (outcome !== undefined) fail(outcome)
  }

  /** Faults of parsing become the stream's error; anything else is a defect and goes up. */
  function guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const { status, code } = error.definition
      if (!ended) fail({ kind: faults.upstreamMalformed.kind, status, code, message: error.publicText })
    }
  }

  return {
    push(chunk, emit) {
      if (ended) return
      sink = emit
      guarded(() => parser.push(chunk, onEvent))
    },
    finish(emit) {
      if (ended) return
      sink = emit
      guarded(() => parser.finish(onEvent))
      if (!ended) close()
    },
  }
}
