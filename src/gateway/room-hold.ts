/**
 * An exchange that waits for room at the targets of its route, all of which have as many under way as they bear. It
 * stands in the worker's one queue, in the lane of its route; the end of a call at a deployment of the route wakes it.
 */
import { priorityClasses, type QueueTerms } from '../domain/limits.ts'
import type { LaneClaim, QueueGuest, TryOutcome } from '../limits/index.ts'
import type { CompiledDeployment } from '../providers/index.ts'
import { describeBlockage } from '../routing/index.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { defaultPriority } from './limits/snapshot-limits.ts'
import { blockageFault } from './routing-faults.ts'
import type { CompiledRoute } from './snapshot.ts'

/** Of one application, where its plan says nothing. */
const defaultMaxLength = 100

export interface RoomParts {
  readonly ctx: GatewayContext
  readonly route: CompiledRoute
  readonly maxWaitMs: number
  /** Sets the targets of the exchange; false while none has room. */
  readonly choose: () => boolean
}

export class RoomHold implements QueueGuest {
  readonly flow: string
  readonly weight: number
  readonly rank: number
  readonly terms: QueueTerms
  readonly #exchange: Exchange
  readonly #parts: RoomParts

  constructor(exchange: Exchange, parts: RoomParts) {
    const { application, operation, model, snapshot } = exchange
    const grant = application?.grantFor(operation?.id ?? '', model) ?? null
    const plan = snapshot.limits.plans.get(grant?.planId ?? '')
    this.flow = application?.id ?? ''
    this.weight = plan?.weight ?? 1
    this.rank = priorityClasses.indexOf(plan?.priority ?? defaultPriority)
    this.terms = { maxWaitMs: parts.maxWaitMs, maxLength: plan?.queue.maxLength ?? defaultMaxLength }
    this.#exchange = exchange
    this.#parts = parts
  }

  /** @throws Fault when the queue is full */
  begin(): void {
    const { ctx } = this.#parts
    if (!ctx.queue.enter(this, this.#claim())) throw this.#fault()
    this.#exchange.call = { pause() {}, resume() {}, abort: () => ctx.queue.leave(this) }
  }

  tryAgain(done: (outcome: TryOutcome) => void): void {
    if (this.#exchange.outcome !== 'open') return done('gone')
    try {
      done(this.#parts.choose() ? 'served' : this.#claim())
    } catch (error) {
      // Something else than room is missing now.
      done('gone')
      this.#exchange.fail(error)
    }
  }

  go(): void {
    this.#exchange.call = null
    this.#exchange.proceed()
  }

  waitIsOver(): void {
    this.#exchange.fail(this.#fault())
  }

  #claim(): LaneClaim {
    return { lane: roomLane(this.#exchange, this.#parts.route), cost: 1, retryAfterMs: null }
  }

  #fault() {
    const { ctx, route } = this.#parts
    return blockageFault(this.#exchange, describeBlockage(route.targets, route.terms, ctx.clock.now()))
  }
}

/**
 * A call at the deployment has ended: there is room for any route that has it. The exchange's own route comes last, so
 * that no route keeps a deployment for itself.
 */
export function wakeRoom(exchange: Exchange, deployment: CompiledDeployment, ctx: GatewayContext): void {
  const { queue } = ctx
  if (!queue.isBusy) return
  const routes = exchange.snapshot.organizations.get(exchange.key?.organizationId ?? '')?.awaiting ?? []
  const after = exchange.route === null ? 0 : routes.indexOf(exchange.route) + 1
  for (const route of [...routes.slice(after), ...routes.slice(0, after)]) {
    if (route.targets.some((target) => target.deployment.id === deployment.id))
      queue.wake(roomLane(exchange, route))
  }
}

/** Others wait for room at the exchange's route. */
export function isRoomAwaited(exchange: Exchange, { queue }: GatewayContext): boolean {
  return queue.isBusy && exchange.route !== null && queue.has(roomLane(exchange, exchange.route))
}

function roomLane(exchange: Exchange, route: CompiledRoute): string {
  return `room ${exchange.key?.organizationId ?? ''} ${route.name}`
}
