/**
 * One batch until each of its events was taken or is a dead letter: what is to be sent again is, what is too large is
 * halved, what will never be taken is put aside. Resolves only then; rejects when the sink is being closed.
 */
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { DeliveryOutcome, EventSink } from '../ports/event-sink.ts'
import type { DeadLetter } from './dead-letters.ts'
import type { SinkGate } from './sink-gate.ts'

export interface DeliveryParts {
  readonly sink: EventSink
  readonly gate: SinkGate
  readonly timeoutMs: number
  readonly now: () => number
  /** Ends everything. */
  readonly signal: AbortSignal
  /** False: they could not be kept, and must be sent again. */
  readonly bury: (letters: readonly DeadLetter[]) => Promise<boolean>
  /** Told what came of each call. */
  readonly report: (result: DeliveryReport) => void
}

export interface DeliveryReport {
  readonly delivered: number
  readonly retried: number
  readonly rejected: number
  /** Empty: all is well. */
  readonly problem: string
}

/** So often an event comes back, while others are taken, until it counts as one that never will be. */
const maxRounds = 100

export async function deliverBatch(batch: readonly OversightEvent[], parts: DeliveryParts): Promise<void> {
  const { gate, signal } = parts
  let rest = batch
  let rounds = 0
  let takenBefore = gate.takenCalls
  while (rest.length > 0) {
    await gate.enter(signal)
    const outcome = await callSink(rest, parts)
    if (signal.aborted) throw new Error('the sink is being closed')
    if (outcome.tooLarge && rest.length > 1) {
      gate.taken()
      const middle = rest.length >> 1
      await deliverBatch(rest.slice(0, middle), parts)
      rest = rest.slice(middle)
      continue
    }
    const before = rest.length
    rest = await settle(rest, outcome, parts)
    if (rest.length === 0) return gate.taken()
    const isNoneTaken = rest.length === before
    // While nobody's are taken the receiver is at fault; otherwise, sooner or later, these events are.
    if (!isNoneTaken || gate.takenCalls > takenBefore) rounds += 1
    takenBefore = gate.takenCalls
    if (isNoneTaken) gate.failed(outcome.retryAfterMs)
    else gate.strained(Math.max(outcome.retryAfterMs ?? 0, gate.pauseMs(1)))
    if (rounds >= maxRounds) rest = await giveUp(rest, outcome.problem, parts)
  }
}

/** Whatever the sink does, an outcome; a call that does not end counts as failed. */
async function callSink(batch: readonly OversightEvent[], parts: DeliveryParts): Promise<DeliveryOutcome> {
  const { sink, timeoutMs, signal } = parts
  const all = { retry: [...batch.keys()], rejected: [], retryAfterMs: null, tooLarge: false }
  const call = new AbortController()
  let giveUpNow = (): void => undefined
  const over = new Promise<DeliveryOutcome>((resolve) => {
    giveUpNow = () => {
      call.abort()
      resolve({ ...all, problem: 'the receiver took too long' })
    }
  })
  const timer = setTimeout(giveUpNow, timeoutMs)
  signal.addEventListener('abort', giveUpNow, { once: true })
  try {
    return await Promise.race([sink.deliver(batch, call.signal), over])
  } catch {
    return { ...all, problem: 'the sink failed' }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUpNow)
  }
}

/** Buries what is rejected; returns what is to be sent again. */
async function settle(
  batch: readonly OversightEvent[],
  outcome: DeliveryOutcome,
  parts: DeliveryParts,
): Promise<readonly OversightEvent[]> {
  const again = new Set(outcome.retry)
  // One event that is too large for the receiver will be so tomorrow.
  const rejected = outcome.tooLarge ? [{ at: 0, reason: outcome.problem || 'too large' }] : outcome.rejected
  const letters = rejected.flatMap(({ at, reason }) => {
    const event = batch[at]
    return event === undefined ? [] : [{ at: parts.now(), reason, event }]
  })
  const isBuried = letters.length === 0 || (await parts.bury(letters))
  if (!isBuried) for (const { at } of rejected) again.add(at)
  else for (const { at } of rejected) again.delete(at)
  const rest = batch.filter((_, at) => again.has(at))
  parts.report({
    delivered: batch.length - rest.length - (isBuried ? letters.length : 0),
    retried: rest.length,
    rejected: isBuried ? letters.length : 0,
    problem: outcome.problem,
  })
  return rest
}

async function giveUp(
  rest: readonly OversightEvent[],
  problem: string,
  { bury, now, report }: DeliveryParts,
): Promise<readonly OversightEvent[]> {
  const reason = `given up after ${maxRounds} rounds: ${problem}`
  if (!(await bury(rest.map((event) => ({ at: now(), reason, event }))))) return rest
  report({ delivered: 0, retried: 0, rejected: rest.length, problem: reason })
  return []
}
