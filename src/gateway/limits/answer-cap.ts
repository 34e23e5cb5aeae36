/**
 * A cap for answers whose length the caller leaves open, so that hard budgets hold: how large it is. Providers count
 * hidden reasoning in it.
 *
 *   cap = the least of   what the models of the route certainly can write
 *                        a sixteenth of what is left in each hard budget
 *         but no less than what 95 of 100 answers of the model have had
 */
import type { BudgetRoom } from '../../limits/index.ts'
import { ampleAnswer } from '../../metering/index.ts'
import type { Exchange } from '../exchange.ts'
import { dearestCost, meteredModel } from '../metered-model.ts'

/** Sixteen and more at once find room, each in what the others left. */
const share = 1 / 16
/** Responses take no smaller one. */
const smallestCap = 16
/** Legacy completions: what the API takes where nothing is said. */
const legacyCap = 16

export interface CapTerms {
  /** Of the hard budgets; none: as little as is sensible. */
  readonly rooms: readonly BudgetRoom[]
  readonly answers: number
  /** Tokens of one answer. */
  readonly least: number
}

/** Tokens to which each answer is held. */
export function sensibleCap(exchange: Exchange, { rooms, answers, least }: CapTerms): number {
  if (exchange.operation?.dialect == null) return legacyCap
  let most = rooms.length === 0 ? 0 : ampleOnRoute(exchange)
  for (const room of rooms) most = Math.min(most, (tokensIn(room, exchange) * share) / answers)
  return Math.max(smallestCap, least, Math.floor(most))
}

function ampleOnRoute(exchange: Exchange): number {
  const targets = exchange.route?.targets ?? []
  return Math.min(...targets.map((target) => ampleAnswer(meteredModel(exchange, target).model)))
}

const million = 1_000_000

function tokensIn({ meter, left }: BudgetRoom, exchange: Exchange): number {
  if (meter !== 'cost') return left
  const ofMillion = dearestCost(exchange, { inputTokens: 0, outputTokens: million })
  return ofMillion === 0 ? Number.POSITIVE_INFINITY : (left / ofMillion) * million
}
