import type { LimitMeter } from '../domain/limits.ts'

/** What the gateway tells a limiter of an exchange: who asks, for how much, and how much it was. */
export interface LimitRequest {
  readonly organizationId: string
  readonly applicationId: string
  readonly team: string
  readonly keyId: string
  /** End user that the request names; '': none, then rules `per` user count by key. */
  readonly user: string
  /** Version 6 is counted by /64. */
  readonly address: string
  /** Public model name asked for. */
  readonly model: string
  readonly route: string
  /** Product and plan of the grant under which the exchange runs; '': none. */
  readonly productId: string
  readonly planId: string
  /** Estimate. */
  readonly inputTokens: number
  /** Output cap, or expectation where the request sets none. */
  readonly outputTokens: number
  /** For these tokens at the dearest target of the route; 0: no price is known. */
  readonly costMicroUsd: number
  readonly streamed: boolean
  /**
   * Where the figures are rough: count, so that they are as exact as can be known. Called at most once, when a limit
   * is near, before anything is refused.
   */
  refine?(): void
  /** Present and true: the request sets no cap to its answer, so that hard budgets put aside what `bound` says. */
  readonly isOpenEnded?: boolean
  /** Then: at most so many times what it asks for is what it comes to. */
  readonly mostTimes?: number
  /**
   * Called before anything is taken under hard budgets, and again when what it said does not fit: hold the answer to
   * what the budgets bear well, or (no rooms) to the least that is sensible. @returns what is put aside for it
   */
  bound?(rooms: readonly BudgetRoom[]): LimitActual
}

/** What is left in a budget, in units of its meter. */
export interface BudgetRoom {
  readonly meter: LimitMeter
  readonly left: number
}

export interface LimitActual {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costMicroUsd: number
}
