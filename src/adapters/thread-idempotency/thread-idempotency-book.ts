/**
 * The book of another thread, over a message port: workers ask, the control plane's book answers. Where no answer
 * comes in time, or no control plane is there, the outcome is `unavailable`: a request that might be a repeat is
 * refused, not run twice.
 */
import type { TimerHandle, TimerWheel } from '../../kernel/timer-wheel.ts'
import type {
  ClaimOutcome,
  IdempotencyBook,
  IdempotencyClaim,
  RememberedReply,
} from '../../ports/idempotency.ts'

/** Worker → control plane. */
export type IdempotencyRequest =
  | { readonly type: 'idempotency-claim'; readonly number: number; readonly claim: IdempotencyClaim }
  | {
      readonly type: 'idempotency-complete'
      readonly claim: IdempotencyClaim
      readonly reply: RememberedReply
    }
  | { readonly type: 'idempotency-abandon'; readonly claim: IdempotencyClaim }
/** Control plane → worker. */
export interface IdempotencyAnswer {
  readonly type: 'idempotency-outcome'
  readonly number: number
  readonly outcome: ClaimOutcome
}

interface Waiting {
  readonly done: (outcome: ClaimOutcome) => void
  readonly timer: TimerHandle
}

const answerWithinMs = 2000
/** Claims whose answer came too late, or not yet. */
const maxOverdue = 10_000

export interface ThreadIdempotencyBook extends IdempotencyBook {
  connect(send: (request: IdempotencyRequest) => void): void
  answer(answer: IdempotencyAnswer): void
}

/** The worker's side. */
export function createThreadIdempotencyBook(timers: TimerWheel): ThreadIdempotencyBook {
  const waiting = new Map<number, Waiting>()
  const overdue = new Map<number, IdempotencyClaim>()
  let send: ((request: IdempotencyRequest) => void) | null = null
  let count = 0
  /** A claim that was granted after nobody waited for it any more would hold its key for a day. */
  const giveBack = (number: number, outcome: ClaimOutcome): void => {
    const claim = overdue.get(number)
    overdue.delete(number)
    if (claim !== undefined && outcome.kind === 'claimed') send?.({ type: 'idempotency-abandon', claim })
  }
  const giveUp = (number: number, claim: IdempotencyClaim): void => {
    for (const oldest of overdue.keys()) {
      if (overdue.size < maxOverdue) break
      overdue.delete(oldest)
    }
    overdue.set(number, claim)
    finish(number, { kind: 'unavailable' })
  }
  const finish = (number: number, outcome: ClaimOutcome): void => {
    const entry = waiting.get(number)
    if (entry === undefined) return giveBack(number, outcome)
    waiting.delete(number)
    entry.timer.clear()
    entry.done(outcome)
  }
  return {
    claim(claim, done) {
      if (send === null) return done({ kind: 'unavailable' })
      count += 1
      const number = count
      waiting.set(number, { done, timer: timers.set(answerWithinMs, () => giveUp(number, claim)) })
      send({ type: 'idempotency-claim', number, claim })
    },
    complete: (claim, reply) => send?.({ type: 'idempotency-complete', claim, reply }),
    abandon: (claim) => send?.({ type: 'idempotency-abandon', claim }),
    connect(sender) {
      send = sender
    },
    answer: ({ number, outcome }) => finish(number, outcome),
  }
}

export interface IdempotencyServer {
  serve(request: IdempotencyRequest): void
  /** The worker is gone: what it had under way may run again. */
  close(): void
}

/** The control plane's side for one worker: carries its requests to the book. */
export function createIdempotencyServer(
  book: IdempotencyBook,
  answer: (answer: IdempotencyAnswer) => void,
): IdempotencyServer {
  const underWay = new Map<string, IdempotencyClaim>()
  const nameOf = ({ scope, key }: IdempotencyClaim): string => `${scope}\n${key}`
  return {
    serve(request) {
      const { claim } = request
      switch (request.type) {
        case 'idempotency-claim':
          return book.claim(claim, (outcome) => {
            if (outcome.kind === 'claimed') underWay.set(nameOf(claim), claim)
            answer({ type: 'idempotency-outcome', number: request.number, outcome })
          })
        case 'idempotency-complete':
          underWay.delete(nameOf(claim))
          return book.complete(claim, request.reply)
        case 'idempotency-abandon':
          underWay.delete(nameOf(claim))
          return book.abandon(claim)
      }
    },
    close() {
      for (const claim of underWay.values()) book.abandon(claim)
      underWay.clear()
    },
  }
}
