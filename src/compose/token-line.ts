/**
 * Questions of a worker about tokens, on their way to the control plane and back. What is not answered in `answerMs`,
 * or while the control plane is away, is answered here: nobody can say. Bound: `maxWaiting` questions at a time.
 */
import type { IssuerKeys } from '../domain/token-issuer.ts'
import type { IntrospectionAnswer, TokenLine } from '../identity/index.ts'
import type { TimerHandle, TimerWheel } from '../kernel/timer-wheel.ts'

export interface TokenQuestion {
  readonly type: 'token-question'
  readonly sequence: number
  readonly issuerId: string
  /** Null: the keys of the issuer are asked for. */
  readonly token: string | null
}

export interface TokenAnswer {
  readonly type: 'token-answer'
  readonly sequence: number
  /** Null: there are none, or they were not asked for. */
  readonly keys: IssuerKeys | null
  readonly introspection: IntrospectionAnswer | null
}

type Said = Pick<TokenAnswer, 'keys' | 'introspection'>
type Send = (question: TokenQuestion) => void

export interface ThreadTokenLine extends TokenLine {
  connect(send: Send): void
  /** The control plane is gone; another may have taken its place already. */
  disconnect(send: Send): void
  answer(answer: TokenAnswer): void
}

const answerMs = 8000
const maxWaiting = 10_000
const nobody: Said = { keys: null, introspection: null }

interface Waiting {
  readonly send: Send
  readonly done: (said: Said) => void
  readonly deadline: TimerHandle
}

export function createTokenLine(timers: TimerWheel): ThreadTokenLine {
  const waiting = new Map<number, Waiting>()
  let connected: Send | null = null
  let sequence = 0

  function settle(number: number, said: Said): void {
    const found = waiting.get(number)
    if (found === undefined) return
    waiting.delete(number)
    found.deadline.clear()
    found.done(said)
  }

  function ask(issuerId: string, token: string | null, done: (said: Said) => void): void {
    if (connected === null || waiting.size >= maxWaiting) return done(nobody)
    sequence += 1
    const number = sequence
    const deadline = timers.set(answerMs, () => settle(number, nobody))
    waiting.set(number, { send: connected, done, deadline })
    connected({ type: 'token-question', sequence: number, issuerId, token })
  }

  return {
    askKeys: (issuerId, done) => ask(issuerId, null, ({ keys }) => done(keys)),
    introspect: (issuerId, token, done) =>
      ask(issuerId, token, ({ introspection }) => done(introspection ?? { kind: 'unavailable' })),
    connect(send) {
      connected = send
    },
    disconnect(send) {
      if (connected === send) connected = null
      for (const [number, each] of waiting) if (each.send === send) settle(number, nobody)
    },
    answer: ({ sequence: number, keys, introspection }) => settle(number, { keys, introspection }),
  }
}
