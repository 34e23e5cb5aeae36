/** What an exchange asks of the limits: who, what for, and how much at most. */
import { noUsage, type TokenUsage } from '../../domain/usage.ts'
import { costMicroUsd, estimateInput, type MeteredModel, roughInput } from '../../metering/index.ts'
import type { Exchange, ExchangeRequest } from '../exchange.ts'
import type { CompiledTarget } from '../snapshot.ts'
import { askedModel } from '../upstream-request.ts'
import { outputCapOf } from './output-cap.ts'
import type { OutputExpectations } from './output-expectations.ts'
import type { LimitNeeds } from './snapshot-limits.ts'

/** Between two exchanges whose input is counted although no limit is near, so that the error of estimates is known. */
const sampleEveryMs = 1000
let sampledAt = 0

/**
 * The request of an exchange. Its input is estimated by size until somebody needs it counted: counting takes longer
 * than all other work of a limit.
 */
export class AskedRequest implements ExchangeRequest {
  readonly organizationId: string
  readonly applicationId: string
  readonly team: string
  readonly keyId: string
  readonly user: string
  readonly address: string
  readonly model: string
  readonly route: string
  readonly productId: string
  readonly planId: string
  readonly streamed: boolean
  readonly outputTokens: number
  inputTokens = 0
  costMicroUsd = 0
  /** The input is counted. */
  isExact = false
  /** The request itself says how long its answer may be. */
  readonly isCapped: boolean
  readonly #exchange: Exchange
  readonly #needs: LimitNeeds

  constructor(exchange: Exchange, needs: LimitNeeds, outputs: OutputExpectations) {
    const { key, application, operation, route, json } = exchange
    const model = publicModel(exchange)
    const grant = application?.grantFor(operation?.id ?? '', route === null ? null : model)
    this.organizationId = key?.organizationId ?? ''
    this.applicationId = key?.applicationId ?? ''
    this.team = application?.team ?? ''
    this.keyId = key?.keyId ?? ''
    this.user = exchange.endUser
    this.address = exchange.clientAddress
    this.model = model
    this.route = route?.name ?? ''
    this.productId = grant?.productId ?? ''
    this.planId = grant?.planId ?? ''
    this.streamed = exchange.stream
    this.#exchange = exchange
    this.#needs = needs
    // Only JSON bodies hold text that a model reads; what is uploaded counts as a request.
    if (!needs.tokens || operation === null || json === null || route === null) {
      this.outputTokens = 0
      this.isCapped = true
      return
    }
    const { perAnswer, answers } = outputCapOf(operation, json)
    this.isCapped = perAnswer !== null
    this.outputTokens = (perAnswer ?? outputs.expect(this.organizationId, model)) * answers
    if (exchange.startedAt - sampledAt < sampleEveryMs)
      this.#take(roughInput(exchange.body.length, firstModel(exchange)))
    else {
      sampledAt = exchange.startedAt
      this.refine()
    }
  }

  refine(): void {
    const { json, body, route } = this.#exchange
    if (this.isExact || !this.#needs.tokens || json === null || route === null) return
    this.isExact = true
    this.#take(estimateInput({ json, bytes: body.length }, firstModel(this.#exchange)))
  }

  #take(inputTokens: number): void {
    const { outputTokens } = this
    this.inputTokens = inputTokens
    if (this.#needs.money)
      this.costMicroUsd = dearestCost(this.#exchange, { ...noUsage, inputTokens, outputTokens })
  }
}

function firstModel(exchange: Exchange): MeteredModel {
  const [first] = exchange.route?.targets ?? []
  return first === undefined ? { provider: '', model: '' } : meteredModel(exchange, first)
}

/** The route's own name where the caller used an alias: an alias is no way round a rule. */
function publicModel({ route, model }: Exchange): string {
  return route === null || route.prefix !== null ? model : route.name
}

/** A target as it is metered. */
export function meteredModel(exchange: Exchange, { deployment, model }: CompiledTarget): MeteredModel {
  return { provider: deployment.provider.id, model: model ?? askedModel(exchange) }
}

/** What the tokens cost at the dearest target, whichever is chosen in the end; 0: no price is known. */
export function dearestCost(exchange: Exchange, usage: TokenUsage): number {
  let dearest = 0
  for (const target of exchange.route?.targets ?? []) {
    const { provider, model } = meteredModel(exchange, target)
    const price = exchange.snapshot.prices.find(provider, model)
    if (price !== null) dearest = Math.max(dearest, costMicroUsd(price, usage))
  }
  return dearest
}
