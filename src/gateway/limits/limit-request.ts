/** What an exchange asks of the limits: who, what for, and how much at most. */
import { noUsage, type TokenUsage } from '../../domain/usage.ts'
import type { LimitActual, LimitRequest } from '../../limits/index.ts'
import { costMicroUsd, estimateInput, type MeteredModel } from '../../metering/index.ts'
import type { Exchange } from '../exchange.ts'
import type { CompiledTarget } from '../snapshot.ts'
import { askedModel } from '../upstream-request.ts'
import { outputCapOf } from './output-cap.ts'
import type { OutputExpectations } from './output-expectations.ts'
import type { LimitNeeds } from './snapshot-limits.ts'

type Figures = LimitActual & Pick<AskedLimits, 'isCapped'>

/** For rules that count requests and exchanges under way alone. */
const noTokens: Figures = Object.freeze({ inputTokens: 0, outputTokens: 0, costMicroUsd: 0, isCapped: true })

export interface AskedLimits {
  readonly request: LimitRequest
  /** The request itself says how long its answer may be. */
  readonly isCapped: boolean
}

export function limitRequestOf(
  exchange: Exchange,
  needs: LimitNeeds,
  outputs: OutputExpectations,
): AskedLimits {
  const { key, application, operation } = exchange
  const grant = application?.grantFor(
    operation?.id ?? '',
    exchange.route === null ? null : publicModel(exchange),
  )
  const figures = needs.tokens ? figuresOf(exchange, needs, outputs) : noTokens
  const request: LimitRequest = {
    organizationId: key?.organizationId ?? '',
    applicationId: key?.applicationId ?? '',
    team: application?.team ?? '',
    keyId: key?.keyId ?? '',
    user: exchange.endUser,
    address: exchange.clientAddress,
    model: publicModel(exchange),
    route: exchange.route?.name ?? '',
    productId: grant?.productId ?? '',
    planId: grant?.planId ?? '',
    inputTokens: figures.inputTokens,
    outputTokens: figures.outputTokens,
    costMicroUsd: figures.costMicroUsd,
    streamed: exchange.stream,
  }
  return { request, isCapped: figures.isCapped }
}

/** The route's own name where the caller used an alias: an alias is no way round a rule. */
function publicModel({ route, model }: Exchange): string {
  return route === null || route.prefix !== null ? model : route.name
}

/** Only JSON bodies hold text that a model reads; what is uploaded counts as a request. */
function figuresOf(exchange: Exchange, needs: LimitNeeds, outputs: OutputExpectations): Figures {
  const { operation, json, route } = exchange
  if (operation === null || json === null || route === null) return noTokens
  const { perAnswer, answers } = outputCapOf(operation, json)
  const expected = perAnswer ?? outputs.expect(exchange.key?.organizationId ?? '', publicModel(exchange))
  const [first] = route.targets
  const model = first === undefined ? { provider: '', model: '' } : meteredModel(exchange, first)
  const inputTokens = estimateInput({ json, bytes: exchange.body.length }, model)
  const outputTokens = expected * answers
  const cost = needs.money ? dearestCost(exchange, { ...noUsage, inputTokens, outputTokens }) : 0
  return { inputTokens, outputTokens, costMicroUsd: cost, isCapped: perAnswer !== null }
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
