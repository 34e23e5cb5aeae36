/** Health of targets as the control plane has to do with it: active checks, and states for the admin API. */
import type { TargetHealthReport } from '../admin/context.ts'
import type { ModelRoute } from '../domain/entities.ts'
import type { SnapshotConfig } from '../domain/snapshot.ts'
import { compileDeployment } from '../providers/index.ts'
import { createHealthBook, createHealthChecks, describeHealth, openHealthBoard } from '../routing/index.ts'
import { probeDeployment, type TrialParts } from './try-deployment.ts'

export interface TargetReport extends Pick<TargetHealthReport, 'trouble' | 'outages'> {
  readonly organizationId: string
  /** Slug. */
  readonly deployment: string
  /** Where the target names none: the route. */
  readonly model: string
}

export interface TargetHealthDesk {
  /** The snapshot that the workers have from now on. */
  apply(config: SnapshotConfig): void
  describe(route: ModelRoute): readonly TargetHealthReport[]
  /** Every target of every route, each once. */
  describeAll(): readonly TargetReport[]
  stop(): void
}

export function openTargetHealthDesk(
  healthBoard: SharedArrayBuffer,
  parts: Omit<TrialParts, 'open'>,
): TargetHealthDesk {
  const book = createHealthBook(openHealthBoard(healthBoard))
  let current: SnapshotConfig | null = null
  const checks = createHealthChecks({
    book,
    now: Date.now,
    after(delayMs, step) {
      const timer = setTimeout(step, delayMs).unref()
      return () => clearTimeout(timer)
    },
    async check(deployment, { path, timeoutMs }) {
      try {
        const provider = parts.catalogue.find(deployment.providerId)
        if (provider === undefined) return 'failed'
        const compiled = compileDeployment(provider, deployment, parts.auth)
        const status = await probeDeployment(compiled, { path, timeoutMs, client: parts.client })
        if (status === 401 || status === 403) return 'credential-refused'
        return status < 500 ? 'good' : 'failed'
      } catch {
        return 'failed'
      }
    },
  })
  return {
    apply(config) {
      current = config
      book.beginSnapshot()
      checks.apply(config)
      book.keepNoted()
    },
    describe({ organizationId, name }) {
      const config = current
      const route = config?.routes.find(
        (each) => each.organizationId === organizationId && each.name === name,
      )
      if (config === null || route === undefined) return []
      const slugs = new Map(config.deployments.map((each) => [each.id, each.slug]))
      return describeHealth(route, { config, book, now: Date.now() }).map(({ deploymentId, ...state }) => ({
        deployment: slugs.get(deploymentId) ?? '',
        ...state,
      }))
    },
    describeAll() {
      const config = current
      if (config === null) return []
      const slugs = new Map(config.deployments.map((each) => [each.id, each.slug]))
      const reports = new Map<string, TargetReport>()
      for (const route of config.routes) {
        const { organizationId } = route
        for (const state of describeHealth(route, { config, book, now: Date.now() })) {
          const model = state.model ?? route.name
          const deployment = slugs.get(state.deploymentId) ?? ''
          const { trouble, outages } = state
          const report = { organizationId, deployment, model, trouble, outages }
          reports.set(`${state.deploymentId} ${model}`, report)
        }
      }
      return [...reports.values()]
    },
    stop: () => checks.stop(),
  }
}
