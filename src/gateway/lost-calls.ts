/**
 * Calls that are charged although nobody gets their answers: the caller went away, the provider was too slow or broke
 * off, another call was quicker. What of it was seen counts as seen, the rest by estimate (`unseenUsage`).
 */
import { noUsage, type TokenUsage } from '../domain/usage.ts'
import { costAtMost, costMicroUsd } from '../metering/index.ts'
import type { GatewayContext } from './context.ts'
import { unseenUsage } from './estimated-usage.ts'
import type { Exchange, LostCalls } from './exchange.ts'
import { priceOf } from './metered-model.ts'
import type { CompiledTarget } from './snapshot.ts'

/** A call that the provider had whole, and did not refuse. */
export interface LostCall {
  readonly exchange: Exchange
  readonly ctx: GatewayContext
  readonly target: CompiledTarget
}

const nothingLost: LostCalls = Object.freeze({ usage: noUsage, costMicroUsd: 0 })

/** Note that `lost` is paid for. What the exchange knows of an answer so far is this call's. */
export function countLost(lost: LostCall): void {
  const { exchange } = lost
  exchange.lost = sum(exchange.lost ?? nothingLost, seenOf(lost) ?? unseenOf(lost))
  exchange.usage = null
  exchange.estimateUsage = null
}

/** Note that `call` goes on and comes to nobody's eyes. */
export function countUnseen(call: LostCall): void {
  call.exchange.lost = sum(call.exchange.lost ?? nothingLost, unseenOf(call))
}

/**
 * Do the limits of the exchange bear what it has lost, and `next` being lost too? What was reserved at first is for one
 * call alone.
 */
export function bearsOneMore({ limits, lost }: Exchange, next: LostCall | null): boolean {
  if (limits === null) return true
  const { usage, costMicroUsd: cost } = sum(lost ?? nothingLost, next === null ? nothingLost : unseenOf(next))
  const { inputTokens, outputTokens, costMicroUsd } = limits.request.reserved
  return (
    limits.progress({
      inputTokens: inputTokens + usage.inputTokens,
      outputTokens: outputTokens + usage.outputTokens,
      costMicroUsd: costMicroUsd + cost,
    }) === null
  )
}

function seenOf({ exchange, target }: LostCall): LostCalls | null {
  const usage = exchange.usage ?? exchange.estimateUsage?.() ?? null
  if (usage === null) return null
  const price = priceOf(exchange, target)
  return { usage, costMicroUsd: price === null ? 0 : costMicroUsd(price, usage) }
}

function unseenOf({ exchange, ctx, target }: LostCall): LostCalls {
  const usage = unseenUsage(exchange, target, ctx.outputs)
  const price = priceOf(exchange, target)
  return { usage, costMicroUsd: price === null ? 0 : costAtMost(price, usage) }
}

function sum(a: LostCalls, b: LostCalls): LostCalls {
  return { usage: sumOfUsage(a.usage, b.usage), costMicroUsd: a.costMicroUsd + b.costMicroUsd }
}

/** An estimate where one of the two is. */
export function sumOfUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    estimated: a.estimated || b.estimated,
  }
}
