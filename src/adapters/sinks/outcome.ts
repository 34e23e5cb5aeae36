/**
 * What an answer of a receiver over HTTP means for a batch, where its protocol says nothing finer. 413, 400 and 422 say
 * that something in it cannot be taken: the engine halves it until it knows what. All else is tried again: an expired
 * credential or a wrong path is the operator's to mend, and no event's fault.
 */
import type { DeliveryOutcome } from '../../ports/event-sink.ts'

/** What is to be known of an answer; `failure`: there was none, and why. */
export type HttpAnswer =
  | { readonly failure: null; readonly status: number; readonly headers: readonly string[] }
  | { readonly failure: string }

export const taken: DeliveryOutcome = Object.freeze({
  retry: [],
  rejected: [],
  retryAfterMs: null,
  tooLarge: false,
  problem: '',
})
const cannotBeTaken: ReadonlySet<number> = new Set([400, 413, 422])

export function again(events: number, problem: string, retryAfterMs: number | null = null): DeliveryOutcome {
  return { ...taken, retry: Array.from({ length: events }, (_, at) => at), retryAfterMs, problem }
}

/** Smaller parts are tried; an event that is alone is given up. */
export function divided(events: number, problem: string): DeliveryOutcome {
  if (events > 1) return { ...taken, tooLarge: true, problem }
  return { ...taken, rejected: [{ at: 0, reason: problem }], problem }
}

export function outcomeOf(result: HttpAnswer, events: number, now: number): DeliveryOutcome {
  if (result.failure !== null) return again(events, result.failure)
  const { status, headers } = result
  if (status >= 200 && status < 300) return taken
  const problem = `the receiver answered ${status}`
  if (cannotBeTaken.has(status)) return divided(events, problem)
  return again(events, problem, retryAfterOf(headers, now))
}

/** RFC 9110 §10.2.3: seconds or a date. */
export function retryAfterOf(headers: readonly string[], now: number): number | null {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'retry-after')
  if (at < 0) return null
  const value = headers[at + 1] ?? ''
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return ms >= 0 ? ms : null
}
