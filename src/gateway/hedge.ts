/**
 * Hedging: when a call is slower than 95 of 100 of its target's, a second one goes to the next target, and whichever
 * begins to answer first is taken. Only where a route asks for it, the price of the second call is known and within
 * the cap, and the route's share of such calls is not used up. Never for a body that is streamed through.
 */
import { costAtMost } from '../metering/index.ts'
import type { UpstreamCall } from '../ports/upstream-client.ts'
import { estimatedInput, largestOutput } from './estimated-usage.ts'
import type { Race } from './exchange.ts'
import { bearsOneMore, type LostCall } from './lost-calls.ts'
import { priceOf } from './metered-model.ts'
import type { Claimed, UpstreamTry } from './upstream-try.ts'

/** Let a second call follow `first` if that takes too long. `claimNext` gives its target. */
export function raceHedge(first: UpstreamTry, claimNext: () => Claimed | null): void {
  const { exchange, ctx } = first
  const delayMs = hedgeDelayMs(first)
  if (delayMs === null) return
  let tries: UpstreamTry[] = [first]
  const timer = ctx.timers.set(delayMs, () => {
    const second = exchange.outcome === 'open' && exchange.race === race ? openSecond(first, claimNext) : null
    if (second === null) return
    tries = [...tries, second]
    second.start()
  })
  const race: Race & UpstreamCall = {
    win(trial) {
      timer.clear()
      for (const other of tries) {
        if (other === trial) continue
        other.abort()
      }
    },
    remove(trial) {
      tries = tries.filter((each) => each !== trial)
      return tries.length > 0
    },
    pause() {},
    resume() {},
    abort() {
      timer.clear()
      for (const each of tries) each.abort()
    },
  }
  exchange.race = race
  exchange.call = race
}

function hedgeDelayMs({ exchange, target }: UpstreamTry): number | null {
  const { route, operation } = exchange
  const terms = route?.terms.hedge ?? null
  if (terms === null || exchange.bodyPending || exchange.targetIndex >= exchange.targets.length) return null
  if (operation?.trafficClass !== 'G' && operation?.trafficClass !== 'U') return null
  const p95Ms = target.health.latency(exchange.stream).p95Ms
  return p95Ms === null ? null : Math.max(p95Ms, terms.minDelayMs)
}

function openSecond(first: UpstreamTry, claimNext: () => Claimed | null): UpstreamTry | null {
  const { exchange, ctx } = first
  const target = exchange.targets[exchange.targetIndex]
  if (target === undefined) return null
  const next = { exchange, ctx, target }
  if (!isAffordable(next) || !bearsOneMore(exchange, next)) return null
  if (exchange.route?.hedging?.take() !== true) return null
  const claimed = claimNext()
  return claimed === null ? null : first.beside(claimed)
}

function isAffordable({ exchange, ctx, target }: LostCall): boolean {
  const terms = exchange.route?.terms.hedge
  const price = priceOf(exchange, target)
  if (terms == null || price === null) return false
  const inputTokens = estimatedInput(exchange, target)
  const outputTokens = largestOutput(exchange, ctx.outputs)
  return costAtMost(price, { inputTokens, outputTokens }) <= terms.maxCostMicroUsd
}
