/**
 * Port: remembers which requests under an `Idempotency-Key` run or have been answered, so that a retry is never a
 * second call. Callback style: it lies on the request path, of the requests that bring such a key.
 *
 * Guarantees: of concurrent claims under one scope and key exactly one is `claimed`; the others are `running` until
 * it completes or is abandoned. What was completed is replayed until it expires or room is needed (oldest first).
 */
export interface IdempotencyClaim {
  /** Whose key it is: callers never see each other's replies. */
  readonly scope: string
  readonly key: string
  /** Hash of operation and body; another request under the same key is a mismatch. */
  readonly fingerprint: string
}

export interface RememberedReply {
  readonly status: number
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

export type ClaimOutcome =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'running' }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'done'; readonly reply: RememberedReply }
  /** Nobody can say: the request must not run. */
  | { readonly kind: 'unavailable' }

export interface IdempotencyBook {
  /** `done` is called exactly once. */
  claim(claim: IdempotencyClaim, done: (outcome: ClaimOutcome) => void): void
  complete(claim: IdempotencyClaim, reply: RememberedReply): void
  /** The request did not come to an answer worth keeping: the next one may run. */
  abandon(claim: IdempotencyClaim): void
}
