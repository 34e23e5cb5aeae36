/** What an exchange asks of the limits: who, what for, and how much at most. */
import type { BudgetRoom, LimitActual } from '../../limits/index.ts'
import { estimateInput, type MeteredModel, roughInput } from '../../metering/index.ts'
import type { Exchange, ExchangeRequest } from '../exchange.ts'
import { grantOf } from '../granted-product.ts'
import { dearestCost, meteredModel, publicModel } from '../metered-model.ts'
import { sensibleCap } from './answer-cap.ts'
import { outputCapOf } from './output-cap.ts'
import type { OutputExpectation, OutputExpectations } from './output-expectations.ts'
import type { LimitNeeds } from './snapshot-limits.ts'

/** Tokens, reasoning included, that no model writes in one answer (vendors' model pages, November 2026). */
const longestAnswer = 262_144
/** Between two exchanges whose input is counted although no limit is near, so that the error of estimates is known. */
const sampleEveryMs = 1000
let sampledAt = 0

/**
 * The request of an exchange. Its input is estimated by size until somebody needs it counted: counting takes longer
 * than all other work of a limit.
 */
export class AskedRequest implements ExchangeRequest {
  /** Public name of the model. */
  readonly model: string
  readonly outputTokens: number
  inputTokens = 0
  costMicroUsd = 0
  /** The input is counted. */
  isExact = false
  /** The request itself says how long its answer may be. */
  readonly isCapped: boolean
  readonly expectation: OutputExpectation | null
  readonly isOpenEnded: boolean
  readonly mostTimes: number
  outputCap: number | null = null
  readonly #exchange: Exchange
  readonly #needs: LimitNeeds
  #answers = 0
  #bounded: LimitActual | null = null

  constructor(exchange: Exchange, needs: LimitNeeds, outputs: OutputExpectations) {
    const { operation, route, json, facts } = exchange
    const model = publicModel(exchange)
    this.model = model
    this.#exchange = exchange
    this.#needs = needs
    // Only JSON bodies hold text that a model reads; what is uploaded counts as a request.
    if (!needs.tokens || operation === null || json === null || route === null) {
      this.expectation = null
      this.outputTokens = 0
      this.isCapped = true
      this.isOpenEnded = false
      this.mostTimes = 1
      return
    }
    const { perAnswer, answers } = facts?.cap ?? outputCapOf(operation, json)
    this.isCapped = perAnswer !== null
    this.isOpenEnded = perAnswer === null && needs.hardOutput
    this.#answers = answers
    this.expectation = perAnswer === null ? outputs.of(this.organizationId, model) : null
    const expected = this.expectation?.expected ?? perAnswer ?? 0
    this.mostTimes = Math.max(1, longestAnswer / expected)
    this.outputTokens = expected * answers
    if (exchange.startedAt - sampledAt < sampleEveryMs)
      this.#take(roughInput(exchange.body.length, firstModel(exchange)))
    else {
      sampledAt = exchange.startedAt
      this.refine()
    }
  }

  // Read from the exchange when a rule asks: most rules look at one or two of them.
  get organizationId(): string {
    return this.#exchange.key?.organizationId ?? ''
  }
  get applicationId(): string {
    return this.#exchange.key?.applicationId ?? ''
  }
  get team(): string {
    return this.#exchange.application?.team ?? ''
  }
  get keyId(): string {
    return this.#exchange.key?.keyId ?? ''
  }
  get user(): string {
    return this.#exchange.endUser
  }
  get address(): string {
    return this.#exchange.clientAddress
  }
  get route(): string {
    return this.#exchange.route?.name ?? ''
  }
  get streamed(): boolean {
    return this.#exchange.stream
  }
  get productId(): string {
    return grantOf(this.#exchange)?.productId ?? ''
  }
  get planId(): string {
    return grantOf(this.#exchange)?.planId ?? ''
  }

  refine(): void {
    const { json, facts, body, route } = this.#exchange
    if (this.isExact || !this.#needs.tokens || json === null || route === null) return
    this.isExact = true
    this.#take(
      estimateInput({ json, bytes: body.length, measure: facts?.input ?? null }, firstModel(this.#exchange)),
    )
  }

  get reserved(): LimitActual {
    return this.#bounded ?? this
  }

  bound(rooms: readonly BudgetRoom[]): LimitActual {
    const { inputTokens } = this
    const answers = this.#answers
    const least = Math.ceil(this.outputTokens / answers)
    const cap = sensibleCap(this.#exchange, { rooms, answers, least })
    const outputTokens = cap * answers
    this.outputCap = cap
    this.#bounded = { inputTokens, outputTokens, costMicroUsd: this.#cost(outputTokens) }
    return this.#bounded
  }

  #take(inputTokens: number): void {
    this.inputTokens = inputTokens
    this.costMicroUsd = this.#cost(this.outputTokens)
  }

  #cost(outputTokens: number): number {
    const { inputTokens } = this
    return this.#needs.money ? dearestCost(this.#exchange, { inputTokens, outputTokens }) : 0
  }
}

function firstModel(exchange: Exchange): MeteredModel {
  const [first] = exchange.route?.targets ?? []
  return first === undefined ? { provider: '', model: '' } : meteredModel(exchange, first)
}
