/**
 * Hedging: when a call is slower than 95 of 100 of its target's, a second one goes to the next target, and whichever
 * begins to answer first is taken. Only where a route asks for it, the price of the second call is known and within
 * the cap, and the route's share of such calls is not used up. Never for a body that is streamed through.
 */
import type { UpstreamCall } from '../ports/upstream-client.ts'
import { estimatedInput } from './estimated-usage.ts'
import type { Exchange, Race } from './exchange.ts'
import { bearsOneMore, countLost } from './lost-cost.ts'
import type { CompiledTarget } from './snapshot.ts'
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
        countLost(other)
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
  const { exchange } = first
  const next = exchange.targets[exchange.targetIndex]
  if (next === undefined || !isAffordable(exchange, next) || !bearsOneMore(exchange, next)) return null
  if (exchange.route?.hedging?.take() !== true) return null
  const claimed = claimNext()
  return claimed === null ? null : first.beside(claimed)
}

/** Tokens of an answer whose length the caller does not bound. */
const assumedOutputTokens = 1000
const outputCaps = ['max_completion_tokens', 'max_tokens', 'max_output_tokens']

function isAffordable(exchange: Exchange, { deployment, model }: CompiledTarget): boolean {
  const terms = exchange.route?.terms.hedge
  const price = exchange.snapshot.prices.find(deployment.provider.id, model ?? exchange.servedModel)
  if (terms == null || price === null) return false
  const input = estimatedInput(exchange) * price.inputPerMillion
  return input + outputCap(exchange) * price.outputPerMillion <= terms.maxCostMicroUsd
}

function outputCap({ json }: Exchange): number {
  for (const field of outputCaps) {
    const cap = json?.[field]
    if (typeof cap === 'number' && cap >= 0) return cap
  }
  return assumedOutputTokens
}
