/**
 * The tries of one exchange: target after target, round after round, as the table of failure classes has it, and only
 * while nothing has been sent to the caller. After the first byte nothing is tried silently.
 */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { describeBlockage, jitteredBackoffMs } from '../routing/index.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { raceHedge } from './hedge.ts'
import { bearsOneMore, countLost } from './lost-calls.ts'
import { blockageFault } from './routing-faults.ts'
import { type Claimed, type TryEvents, type TryFailure, UpstreamTry } from './upstream-try.ts'

/** Begin with the first target. */
export function attempt(exchange: Exchange, ctx: GatewayContext): void {
  if (!tryNext(exchange, ctx)) exchange.fail(noneLeft(exchange, ctx))
}

/** Try the next target that may be tried; false when there is none. */
function tryNext(exchange: Exchange, ctx: GatewayContext): boolean {
  const claimed = claimNext(exchange, ctx)
  if (claimed === null) return false
  const trial = new UpstreamTry(exchange, ctx, { ...claimed, events })
  exchange.call = trial
  if (exchange.route?.hedging != null) raceHedge(trial, () => claimNext(exchange, ctx))
  trial.start()
  return true
}

function claimNext(exchange: Exchange, ctx: GatewayContext): Claimed | null {
  for (;;) {
    const target = exchange.targets[exchange.targetIndex]
    if (target === undefined) return null
    exchange.targetIndex += 1
    const claim = target.health.claim(ctx.clock.now())
    if (claim !== 'refused') return { target, isTrial: claim === 'trial' }
  }
}

const events: TryEvents = { began, failed }

/** From now on the exchange is this try's. */
function began(trial: UpstreamTry): void {
  const { exchange } = trial
  if (exchange.race === null) return
  exchange.race.win(trial)
  exchange.race = null
  exchange.call = trial
  speakFor(trial)
}

/** What is said of the exchange is said of this try; another may have begun after it. */
function speakFor({ exchange, target, servedModel, downgrades }: UpstreamTry): void {
  exchange.target = target
  exchange.servedModel = servedModel
  exchange.downgrades = downgrades
}

function failed(trial: UpstreamTry, failure: TryFailure): void {
  const { exchange, ctx } = trial
  if (exchange.outcome !== 'open') return
  if (failure.charged) countLost(trial)
  const mayGoOn = !failure.charged || bearsOneMore(exchange, null)
  const { failure: kind } = failure
  // Another call of the same exchange may still succeed, unless this one's failure is the request's own.
  if (exchange.race?.remove(trial) === true && kind.next) return
  if (exchange.race !== null) {
    exchange.race.win(trial)
    exchange.race = null
    speakFor(trial)
  }
  if (mayGoOn && kind.next && exchange.firstByteAt === 0 && !exchange.bodyPending) {
    if (kind.again) exchange.again = [...exchange.again, trial.target]
    if (tryNext(exchange, ctx) || tryLater(exchange, ctx, failure)) return note(trial, failure)
  }
  settleFailure(exchange, ctx, failure)
}

function note({ exchange, ctx, target }: UpstreamTry, { failure, error }: TryFailure): void {
  const told = error instanceof Fault ? error : new Fault(faults.internal, {})
  ctx.note({
    level: 'warn',
    requestId: exchange.id,
    code: told.code,
    internal: `${target.deployment.slug}: ${failure.name}: ${told.internalText}; trying again`,
  })
}

/** Nothing else is tried: the caller gets what the last target said. */
function settleFailure(exchange: Exchange, ctx: GatewayContext, failure: TryFailure): void {
  if (exchange.targets.length > 1 && exchange.firstByteAt === 0) {
    const terms = exchange.route?.terms
    const blockage = terms === undefined ? null : describeBlockage(exchange.targets, terms, ctx.clock.now())
    if (blockage?.reason === 'credentials') return exchange.fail(blockageFault(exchange, blockage))
  }
  if (failure.relay === null) return exchange.fail(failure.error)
  try {
    failure.relay()
  } catch (error) {
    exchange.fail(error)
  }
}

/** A further round over the targets that may do better after a wait, where policy and budget allow one. */
function tryLater(exchange: Exchange, ctx: GatewayContext, { retryAfterMs }: TryFailure): boolean {
  const { route, again } = exchange
  if (route === null || again.length === 0 || exchange.round >= route.terms.retry.rounds) return false
  const { backoffMs: baseMs, maxBackoffMs: maxMs } = route.terms.retry
  const now = ctx.clock.now()
  const soonest = Math.min(...again.map(({ health }) => health.waitMs(now)))
  const jitterMs = jitteredBackoffMs(exchange.round, { baseMs, maxMs, random: ctx.random })
  const waitMs = Math.max(jitterMs, soonest, again.length === 1 ? (retryAfterMs ?? 0) : 0)
  if (waitMs > maxMs || !route.retries.take()) return false
  exchange.round += 1
  exchange.targets = again
  exchange.targetIndex = 0
  exchange.again = []
  const timer = ctx.timers.set(waitMs, () => attempt(exchange, ctx))
  exchange.call = { pause() {}, resume() {}, abort: () => timer.clear() }
  return true
}

function noneLeft(exchange: Exchange, ctx: GatewayContext): Fault {
  const { route } = exchange
  if (route === null) return new Fault(faults.noDeployment, { public: { model: exchange.model || 'files' } })
  return blockageFault(exchange, describeBlockage(exchange.targets, route.terms, ctx.clock.now()))
}
