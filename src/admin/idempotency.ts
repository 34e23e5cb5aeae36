/**
 * `Idempotency-Key` of the admin API: a POST that was answered before is answered as before and not run again; one that
 * runs right now is refused; the same key with another request is a mistake. Kept per admin token in the store, so that
 * it holds on every node and after a restart. A reply may show a secret, so it is sealed under the root key; what the
 * request said is kept as an HMAC only. A request that failed may run again under its key.
 *
 * Bounds: replies of `maxPlaintextBytes` (a larger one is not kept), for `keptMs`; a claim that never ends, `claimedMs`.
 */
import { Type } from 'typebox'
import { isJsonObject } from '../domain/json.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { maxPlaintextBytes } from '../ports/secret-box.ts'
import type { IdempotentReply } from '../ports/store.ts'
import type { AdminContext, AdminDependencies } from './context.ts'
import { isStreamed } from './operation.ts'
import { fingerprintOf } from './secrets.ts'

const keptMs = 86_400_000
/** Longer than any operation takes. */
const claimedMs = 600_000
const sweepEveryMs = 3_600_000

export const idempotencyHeader = 'idempotency-key'

/** Headers of every operation that makes something, for its schema. */
export const idempotencyHeaders = Type.Object({
  [idempotencyHeader]: Type.Optional(
    Type.String({
      description:
        'Name of this request, chosen by the caller. Sent again within 24 hours with the same token and body, it is answered as before and not run again.',
      pattern: '^[!-~]{1,255}$',
    }),
  ),
})

export interface KeyedRequest {
  readonly key: string
  /** Everything that the answer follows from: operation, path and body. */
  readonly text: string
  readonly status: number
}

export interface OnceAnswered {
  readonly result: unknown
  /** It was answered before and is not the work of this request. */
  readonly isReplay: boolean
}

export interface AdminIdempotency {
  /** @throws Fault 409 while the first one runs, 422 where it was another request, and what `run` throws */
  once(ctx: AdminContext, request: KeyedRequest, run: () => Promise<unknown>): Promise<OnceAnswered>
}

type Deps = Pick<AdminDependencies, 'store' | 'secretBox' | 'clock' | 'peppers' | 'log'>

class StoredIdempotency implements AdminIdempotency {
  readonly #deps: Deps
  #sweptAt = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async once(ctx: AdminContext, request: KeyedRequest, run: () => Promise<unknown>): Promise<OnceAnswered> {
    const { store, clock, peppers } = this.#deps
    const now = clock.now()
    const { tokenId: scope } = ctx.caller
    const { key } = request
    await this.#sweep(now)
    const fingerprint = fingerprintOf(request.text, peppers())
    const expiresAt = now + claimedMs
    const outcome = await store.idempotency.claim({ scope, key, fingerprint, now, expiresAt })
    switch (outcome.kind) {
      case 'done':
        return { result: await this.#open(scope, key, outcome.reply), isReplay: true }
      case 'running':
        throw new Fault(faults.idempotencyConflict, { retryAfterSeconds: 1 })
      case 'mismatch':
        throw new Fault(faults.idempotencyMismatch)
      case 'claimed': {
        const result = await run().catch(async (error: unknown) => {
          // Where the store is away, the claim ends by itself.
          await store.idempotency.abandon(scope, key).catch(() => {})
          throw error
        })
        await this.#keep(ctx, request, result)
        return { result, isReplay: false }
      }
    }
  }

  /** What was done is done: trouble here must not turn it into a failure. */
  async #keep(ctx: AdminContext, { key, status }: KeyedRequest, result: unknown): Promise<void> {
    const { store, secretBox, clock, log } = this.#deps
    const { tokenId: scope } = ctx.caller
    try {
      const text = isStreamed(result) ? null : JSON.stringify(result ?? null)
      if (text === null || Buffer.byteLength(text) > maxPlaintextBytes)
        return await store.idempotency.abandon(scope, key)
      const reply = { status, body: { sealed: await secretBox.seal(text, contextOf(scope, key)) } }
      await store.idempotency.complete(scope, key, { reply, expiresAt: clock.now() + keptMs })
    } catch (cause) {
      log.warn({ requestId: ctx.requestId, code: 'admin.reply-not-kept', cause }, 'a reply was not kept')
    }
  }

  async #open(scope: string, key: string, { body }: IdempotentReply): Promise<unknown> {
    const sealed = isJsonObject(body) && typeof body['sealed'] === 'string' ? body['sealed'] : ''
    const opened = await this.#deps.secretBox.open(sealed, contextOf(scope, key))
    return JSON.parse(opened.toString('utf8'))
  }

  async #sweep(now: number): Promise<void> {
    if (now - this.#sweptAt < sweepEveryMs) return
    this.#sweptAt = now
    await this.#deps.store.idempotency.sweep(now)
  }
}

const contextOf = (scope: string, key: string): string => `idempotency:${scope}:${key}`

export function createAdminIdempotency(deps: Deps): AdminIdempotency {
  return new StoredIdempotency(deps)
}
