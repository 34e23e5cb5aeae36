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

export interface ThreadIdempotencyBook extends IdempotencyBook {
  connect(send: (request: IdempotencyRequest) => void): void
  answer(answer: IdempotencyAnswer): void
}

/** The worker's side. */
export function createThreadIdempotencyBook(timers: TimerWheel): ThreadIdempotencyBook {
  const waiting = new Map<number, Waiting>()
  let send: ((request: IdempotencyRequest) => void) | null = null
  let count = 0
  const finish = (number: number, outcome: ClaimOutcome): void => {
    const entry = waiting.get(number)
    if (entry === undefined) return
    waiting.delete(number)
    entry.timer.clear()
    entry.done(outcome)
  }
  return {
    claim(claim, done) {
      if (send === null) return done({ kind: 'unavailable' })
      count += 1
      const number = count
      waiting.set(number, {
        done,
        timer: timers.set(answerWithinMs, () => finish(number, { kind: 'unavailable' })),
      })
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

/** The control plane's side: carry a worker's request to the book. */
export function serveIdempotency(
  book: IdempotencyBook,
  request: IdempotencyRequest,
  answer: (answer: IdempotencyAnswer) => void,
): void {
  switch (request.type) {
    case 'idempotency-claim':
      return book.claim(request.claim, (outcome) =>
        answer({ type: 'idempotency-outcome', number: request.number, outcome }),
      )
    case 'idempotency-complete':
      return book.complete(request.claim, request.reply)
    case 'idempotency-abandon':
      return book.abandon(request.claim)
  }
}
