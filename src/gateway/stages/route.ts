/**
 * Order the deployments to try: by priority, within one priority drawn by weight. Operations without a model
 * (files, batches) go to the organization's deployments that serve the operation.
 */
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Exchange } from '../exchange.ts'
import type { CompiledTarget } from '../snapshot.ts'
import type { Stage } from '../stage.ts'

export const chooseTargets: Stage = (exchange, ctx) => {
  const targets = exchange.route === null ? targetsWithoutModel(exchange) : exchange.route.targets
  if (targets.length === 0) {
    throw new Fault(faults.noDeployment, {
      public: { model: exchange.model || 'files' },
      retryAfterSeconds: 5,
    })
  }
  exchange.targets = targets.length === 1 ? targets : orderByWeight(targets, ctx.random)
  return 'next'
}

function targetsWithoutModel(exchange: Exchange): readonly CompiledTarget[] {
  const operation = exchange.operation?.id ?? ''
  const routes = exchange.snapshot.organizations.get(exchange.key?.organizationId ?? '')
  const serving = (routes?.deployments ?? []).filter(
    (deployment) => deployment.provider.paths[operation] !== undefined,
  )
  return serving.map((deployment, priority) => ({
    deployment,
    model: null,
    priority,
    weight: 1,
    timeouts: deployment.snapshot.timeouts,
  }))
}

/** Weighted draw without replacement within each priority. Weight 0 is last of its priority. */
export function orderByWeight(targets: readonly CompiledTarget[], random: () => number): CompiledTarget[] {
  const drawn = targets.map((target) => ({
    target,
    // Efraimidis–Spirakis: the largest u^(1/w) first draws in proportion to the weights.
    rank: target.weight === 0 ? 0 : random() ** (1 / target.weight),
  }))
  drawn.sort((a, b) => a.target.priority - b.target.priority || b.rank - a.rank)
  return drawn.map(({ target }) => target)
}
