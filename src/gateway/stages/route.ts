/**
 * Order the deployments to try, as the route's policy has it; what is out of use is left out. Operations without a
 * model (files, batches) go to the organization's deployments that serve the operation and lie where each route of the
 * key allows.
 */
import { faults } from '../../faults/catalogue.ts'
import { patternsMeet } from '../../identity/index.ts'
import { Fault } from '../../kernel/fault.ts'
import {
  conversationHash,
  describeBlockage,
  type Ordering,
  orderTargets,
  type RouteTerms,
  usableTargets,
} from '../../routing/index.ts'
import type { GatewayContext } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { isRoomAwaited, RoomHold } from '../room-hold.ts'
import { blockageFault } from '../routing-faults.ts'
import { type CompiledRoute, type CompiledTarget, isWithin } from '../snapshot.ts'
import type { Stage, StageOutcome } from '../stage.ts'

export const chooseTargets: Stage = (exchange, ctx) => {
  const { route } = exchange
  const targets = route === null ? targetsWithoutModel(exchange) : route.targets
  if (targets.length === 0) {
    throw new Fault(faults.noDeployment, {
      public: { model: exchange.model || 'files' },
      retryAfterSeconds: 5,
    })
  }
  // One target of a route without a policy: nothing to choose, and one field to look at.
  if (route === null || (route.isPlain && targets[0]?.health.isClear === true)) exchange.targets = targets
  else return chooseAmong(exchange, ctx, route)
  return 'next'
}

function chooseAmong(exchange: Exchange, ctx: GatewayContext, route: CompiledRoute): StageOutcome {
  route.retries.payIn()
  route.hedging?.payIn()
  const choose = (): boolean => chooseUsable(exchange, ctx, route)
  const maxWaitMs = route.terms.concurrency?.maxWaitMs ?? 0
  // Whoever waits already goes first.
  if (!(maxWaitMs > 0 && isRoomAwaited(exchange, ctx)) && choose()) return 'next'
  const hold = new RoomHold(exchange, { ctx, route, maxWaitMs, choose })
  hold.begin()
  return 'wait'
}

/** False while there is no room and the exchange may wait for it. @throws Fault when it may not */
function chooseUsable(exchange: Exchange, ctx: GatewayContext, route: CompiledRoute): boolean {
  const { terms } = route
  const now = ctx.clock.now()
  const usable = usableTargets(route.targets, terms, now)
  if (usable.length === 0) {
    const blockage = describeBlockage(route.targets, terms, now)
    if (blockage.reason === 'saturated' && (terms.concurrency?.maxWaitMs ?? 0) > 0) return false
    throw blockageFault(exchange, blockage)
  }
  exchange.targets = usable.length === 1 ? usable : orderTargets(usable, orderingOf(exchange, ctx, terms))
  return true
}

function orderingOf(exchange: Exchange, ctx: GatewayContext, terms: RouteTerms): Ordering {
  return {
    strategy: terms.strategy,
    canaryPercent: terms.canary?.percent ?? null,
    conversation: terms.sticky ? conversationOf(exchange) : null,
    streamed: exchange.stream,
    monotonic: ctx.clock.monotonic(),
    random: ctx.random,
  }
}

function conversationOf({ key, json, facts, endUser }: Exchange): number | null {
  const tenant = key?.organizationId ?? ''
  return facts === null
    ? conversationHash(tenant, json, endUser)
    : (facts.conversation ?? conversationHash(tenant, null, endUser))
}

/**
 * What such an operation carries may serve any model that the key may use, so it stays where the residency of each of
 * their routes allows.
 */
function targetsWithoutModel(exchange: Exchange): readonly CompiledTarget[] {
  const operation = exchange.operation?.id ?? ''
  const routes = exchange.snapshot.organizations.get(exchange.key?.organizationId ?? '')
  if (routes === undefined) return []
  const serving = routes.withoutModel.filter(
    ({ deployment }) => deployment.provider.paths[operation] !== undefined,
  )
  const binding = routes.resident.filter((route) => mayMeet(exchange, route.name))
  const allowed = serving.filter(({ deployment }) =>
    binding.every(({ mayGoTo }) => isWithin(deployment, mayGoTo)),
  )
  if (allowed.length === 0 && serving.length > 0)
    throw new Fault(faults.outsideResidency, { public: { operation } })
  return allowed
}

/** Whether the key may use some model that `pattern`, the name of a route, stands for; for whatever operation. */
function mayMeet({ application, key }: Exchange, pattern: string): boolean {
  const own = key?.models ?? null
  if (application !== null && !application.meetsModel(pattern)) return false
  return own === null || own.some((model) => patternsMeet(model, pattern))
}
