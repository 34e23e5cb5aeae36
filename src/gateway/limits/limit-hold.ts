/**
 * What one exchange holds of its limits, from the first try to take it to its settlement. Where a rule says `queue`,
 * the hold is the guest that waits for the exchange.
 *
 *   begin ─▶ admit ─┬─ allowed ─────────────────────────▶ reserved ─▶ settled
 *                   └─ refused ─┬─ may wait ─▶ queue ──▶ admit again
 *                               └─ a fault
 *
 * An exchange that ends meanwhile leaves the queue; what is admitted after its end is given back at once.
 */
import { type LimitRule, type PlanSnapshot, priorityClasses, type QueueTerms } from '../../domain/limits.ts'
import { type CatalogueEntry, faults } from '../../faults/catalogue.ts'
import type { Fault } from '../../kernel/fault.ts'
import type {
  CompiledLimits,
  FairQueue,
  LaneClaim,
  LimitActual,
  Limiter,
  LimitRefusal,
  LimitRequest,
  LimitStanding,
  LimitVerdict,
  QueueGuest,
  Reservation,
  TryOutcome,
} from '../../limits/index.ts'
import type { Exchange, ExchangeLimits, ExchangeRequest } from '../exchange.ts'
import { limitFault, refusalFault } from './limit-faults.ts'
import { defaultPriority } from './snapshot-limits.ts'

/** For exchanges under no plan. */
const defaultQueueTerms: QueueTerms = Object.freeze({ maxWaitMs: 10_000, maxLength: 100 })

export interface HoldParts {
  readonly limiter: Limiter
  readonly queue: FairQueue
  readonly limits: CompiledLimits
  readonly request: ExchangeRequest
  readonly plan: PlanSnapshot | null
  /** Rules of the organization let exchanges wait. */
  readonly mayWait: boolean
}

const nothing: LimitActual = Object.freeze({ inputTokens: 0, outputTokens: 0, costMicroUsd: 0 })
const noStandings: readonly LimitStanding[] = Object.freeze([])
const noRules: readonly { readonly rule: LimitRule }[] = Object.freeze([])

/** When it is not known how long it takes. */
const unknownRetryMs = 1000

export class LimitHold implements ExchangeLimits, QueueGuest {
  readonly #exchange: Exchange
  readonly #parts: HoldParts
  #reservation: Reservation | null = null
  #refusal: LimitRefusal | null = null
  /** Set while the exchange waits. */
  #waitsFor: { readonly rule: LimitRule; readonly claim: LaneClaim } | null = null
  #refusedBy = ''
  #hasWaited = false
  /** The stage that began is still running. */
  #isBeginning = false
  #hasBegun = false
  #fault: Fault | null = null

  constructor(exchange: Exchange, parts: HoldParts) {
    this.#exchange = exchange
    this.#parts = parts
  }

  get request(): ExchangeRequest {
    return this.#parts.request
  }
  get flow(): string {
    return this.#parts.request.applicationId
  }
  get weight(): number {
    return this.#parts.plan?.weight ?? 1
  }
  get rank(): number {
    return priorityClasses.indexOf(this.#parts.plan?.priority ?? defaultPriority)
  }
  get terms(): QueueTerms {
    return this.#parts.plan?.queue ?? defaultQueueTerms
  }

  /** Worst first, as they stand now. */
  get standings(): readonly LimitStanding[] {
    return this.#reservation?.standings ?? this.#refusal?.standings ?? noStandings
  }

  /** Rules that were passed and are not enforced. */
  get exceeded(): readonly { readonly rule: LimitRule }[] {
    return this.#reservation?.exceeded ?? noRules
  }

  /** The rule that refused or ended the exchange; empty: none did. */
  get refusedBy(): string {
    return this.#refusedBy
  }

  get hasWaited(): boolean {
    return this.#hasWaited
  }

  /** True: go on now; false: the exchange goes on, or ends, later. @throws Fault when it is refused at once */
  begin(): boolean {
    const { limiter, limits, request, queue } = this.#parts
    this.#isBeginning = true
    const ahead = this.#parts.mayWait && queue.isBusy ? this.#laneAhead() : null
    if (ahead === null) limiter.admit(limits, request, (verdict) => this.#answered(verdict))
    else this.#wait(ahead.rule, ahead.claim)
    this.#isBeginning = false
    if (this.#fault !== null) throw this.#fault
    return this.#hasBegun
  }

  progress(used: LimitActual): LimitRule | null {
    return this.#reservation?.progress(used) ?? null
  }

  streamEnd(rule: LimitRule): Fault {
    this.#refusedBy = rule.name
    return limitFault(faults.streamEnded, rule, null)
  }

  /** The exchange has ended. */
  settle(actual: LimitActual): void {
    const { queue } = this.#parts
    if (this.#waitsFor !== null) queue.leave(this)
    this.#reservation?.settle(actual)
    if (queue.isBusy) this.#wakeLanes()
  }

  #answered(verdict: LimitVerdict): void {
    const outcome = this.#judge(verdict)
    if (outcome === 'served') {
      this.#hasBegun = true
      if (!this.#isBeginning) this.#exchange.proceed()
      return
    }
    if (outcome !== 'gone' && !verdict.allowed) this.#wait(verdict.rule, outcome)
  }

  #wait(rule: LimitRule, claim: LaneClaim): void {
    this.#waitsFor = { rule, claim }
    if (this.#parts.queue.enter(this, claim)) this.#hasWaited = true
    else this.#end(faults.queueFull)
  }

  tryAgain(done: (outcome: TryOutcome) => void): void {
    const { limiter, limits, request } = this.#parts
    limiter.admit(limits, request, (verdict) => done(this.#judge(verdict)))
  }

  go(): void {
    this.#exchange.proceed()
  }

  waitIsOver(): void {
    this.#end(faults.queueWaitOver)
  }

  #judge(verdict: LimitVerdict): TryOutcome {
    if (this.#exchange.outcome !== 'open') {
      if (verdict.allowed) verdict.reservation.settle(nothing)
      return 'gone'
    }
    if (verdict.allowed) {
      this.#refusal = null
      this.#reservation = verdict.reservation
      return 'served'
    }
    this.#refusal = verdict
    const claim = this.#claimOf(verdict)
    if (claim !== null) {
      this.#waitsFor = { rule: verdict.rule, claim }
      return claim
    }
    this.#refuse(verdict.rule, refusalFault(verdict))
    return 'gone'
  }

  /** The queue does not serve it. */
  #end(entry: CatalogueEntry): void {
    if (this.#waitsFor === null) throw new TypeError('nobody leaves a queue who was not sent there')
    const { rule, claim } = this.#waitsFor
    this.#refuse(rule, limitFault(entry, rule, claim.retryAfterMs ?? unknownRetryMs))
  }

  #refuse(rule: LimitRule, fault: Fault): void {
    this.#refusedBy = rule.name
    // Thrown once the limiter and the queue are done: nothing of theirs is cut short.
    if (this.#isBeginning) this.#fault = fault
    else this.#exchange.fail(fault)
  }

  /** What the exchange would wait for; null: it may not, or in vain. */
  #claimOf({ rule, cause, retryAfterMs }: LimitRefusal): LaneClaim | null {
    if (rule.whenExceeded !== 'queue' || cause === 'unavailable' || retryAfterMs === null) return null
    // What others have reserved and not used comes back at any time, but not what was counted for good.
    const comesBack = rule.window === null || (rule.window.kind === 'rolling' && rule.meter !== 'requests')
    if (retryAfterMs > this.terms.maxWaitMs && !comesBack) return null
    const { limits, request } = this.#parts
    const compiled = limits.rulesOf(request).find((each) => each.rule === rule)
    const lane = laneOf(rule, compiled?.subjectOf(request) ?? '')
    return { lane, cost: unitsOf(rule, request), retryAfterMs }
  }

  /** A lane in which others wait for what this exchange needs: it goes behind them. */
  #laneAhead(): { readonly rule: LimitRule; readonly claim: LaneClaim } | null {
    const { limits, request, queue } = this.#parts
    for (const { rule, subjectOf } of limits.rulesOf(request)) {
      if (rule.whenExceeded !== 'queue') continue
      const lane = laneOf(rule, subjectOf(request))
      if (queue.has(lane)) return { rule, claim: { lane, cost: unitsOf(rule, request), retryAfterMs: null } }
    }
    return null
  }

  #wakeLanes(): void {
    const { limits, request, queue } = this.#parts
    for (const { rule, subjectOf } of limits.rulesOf(request))
      if (rule.whenExceeded === 'queue') queue.wake(laneOf(rule, subjectOf(request)))
  }
}

function laneOf(rule: LimitRule, subject: string): string {
  return `${rule.organizationId} ${rule.id} ${subject}`
}

/** Units of a rule's meter that an exchange needs. */
function unitsOf({ meter }: LimitRule, request: LimitRequest): number {
  switch (meter) {
    case 'input-tokens':
      return request.inputTokens
    case 'output-tokens':
      return request.outputTokens
    case 'total-tokens':
      return request.inputTokens + request.outputTokens
    case 'cost':
      return request.costMicroUsd
    default:
      return 1
  }
}
