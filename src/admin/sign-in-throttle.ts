/**
 * Failed sign-ins, with admin tokens and set-up links, are counted by client and in all: exactly over all nodes where
 * these share counters, else in this node's memory.
 *
 *   attempt ─refused client?─▶ 429      ─wrong─▶ one more for the client and for all ─too many─▶ 429, else as it was
 *      └── a secret that was right lately, or a client that is not refused ─right─▶ nothing is counted or asked
 *
 * What is right is never refused for what other clients do. Of one client it is, after its own failures, unless it was
 * right here before: so an old token in a script locks nobody out who works from the same address. A client that was
 * refused by another node has one more attempt on this one. Bounds: `maxRefused` clients, `maxRight` secrets, as hashes.
 */
import { createHash } from 'node:crypto'
import { faults } from '../faults/catalogue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { addressBlock } from '../kernel/ip-address.ts'
import type { CentralCounters, CounterEntry, CounterTerms, TakeOutcome } from '../ports/central-counters.ts'

type Taking = Pick<CentralCounters, 'take'>

/** `throttled`: refused unseen, for what the client tried before. */
export type SignInResult = 'ok' | 'bad_credential' | 'throttled'

export interface SignInThrottleOptions {
  /** Counters of all nodes; null: this is the only one. */
  readonly shared: Taking | null
  /** Of this node; also where the shared ones cannot be reached. */
  readonly local: Taking
  readonly clock: Clock
  /** A client is refused, for so many seconds. */
  readonly onRefusal?: (client: string, seconds: number) => void
  /** For metrics: what came of each attempt. */
  readonly onAttempt?: (result: SignInResult) => void
}

export interface SignInThrottle {
  /** @throws Fault 429 while the client at this address has failed too often */
  admit(address: string, secret: string): void
  succeeded(secret: string): void
  /** @throws Fault 429 when that was one too many */
  failed(address: string): Promise<void>
}

const windowMs = 600_000
/** Failures of one client: ten at once, then one a minute. */
const ofClient: CounterTerms = { kind: 'rolling', amount: 10, windowMs, burst: 10 }
const ofAll: CounterTerms = { kind: 'rolling', amount: 1000, windowMs, burst: 1000 }
const unknownWaitMs = 60_000
const maxRefused = 10_000
const maxRight = 1000

export function createSignInThrottle(options: SignInThrottleOptions): SignInThrottle {
  const { clock, onRefusal, onAttempt } = options
  /** Client → until when. */
  const refused = new Map<string, number>()
  const right = new Set<string>()

  function refusal(waitMs: number): Fault {
    return new Fault(faults.tooManySignIns, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
  }

  return {
    admit(address, secret) {
      const client = addressBlock(address)
      const until = refused.get(client)
      if (until === undefined) return
      const waitMs = until - clock.monotonic()
      if (waitMs <= 0) refused.delete(client)
      else if (!right.has(hashOf(secret))) {
        onAttempt?.('throttled')
        throw refusal(waitMs)
      }
    },
    succeeded(secret) {
      onAttempt?.('ok')
      keepLatest(right, hashOf(secret), maxRight)
      right.add(hashOf(secret))
    },
    async failed(address) {
      onAttempt?.('bad_credential')
      const client = addressBlock(address)
      const outcome = await take(options, client)
      if (outcome?.taken === true) return
      const waitMs = outcome?.retryAfterMs ?? unknownWaitMs
      if (outcome === null || outcome.refusedBy === 0) {
        keepLatest(refused, client, maxRefused)
        refused.set(client, clock.monotonic() + waitMs)
        onRefusal?.(client, Math.ceil(waitMs / 1000))
      }
      throw refusal(waitMs)
    },
  }
}

/** Null: nobody can count, so the client is refused. */
async function take({ shared, local }: SignInThrottleOptions, client: string): Promise<TakeOutcome | null> {
  const entries: readonly CounterEntry[] = [
    { key: `{admin}sign-in:${client}`, terms: ofClient, units: 1 },
    { key: '{admin}sign-in', terms: ofAll, units: 1 },
  ]
  for (const counters of shared === null ? [local] : [shared, local]) {
    try {
      return await counters.take(entries)
    } catch {
      // The next one counts.
    }
  }
  return null
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64')
}

/** Makes room for `key` by forgetting what came first. */
function keepLatest(
  kept: { delete(key: string): boolean; keys(): Iterator<string>; readonly size: number },
  key: string,
  most: number,
): void {
  kept.delete(key)
  if (kept.size < most) return
  const first = kept.keys().next()
  if (first.done !== true) kept.delete(first.value)
}
