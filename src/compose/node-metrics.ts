/**
 * Metrics of this node, gathered when somebody asks: what the workers counted, and the figures that live elsewhere: in
 * the shared counters of limits, on the board of targets, in the usage log and in the status.
 */
import type { StatusReport } from '../admin/context.ts'
import type { AuditFigures } from '../audit/index.ts'
import { planRuleId } from '../domain/limits.ts'
import type { SnapshotConfig } from '../domain/snapshot.ts'
import { createBudgetReader } from '../limits/index.ts'
import { type NodeCounters, ruleFigures } from '../ports/node-counters.ts'
import { troubles } from '../routing/index.ts'
import {
  createFamilyCollector,
  type FamilyCollector,
  type MetricFamily,
  type MetricReader,
  metricList,
  metrics,
  withViews,
} from '../telemetry/index.ts'
import type { ExportFigures } from './event-delivery.ts'
import { readProcessFigures } from './process-figures.ts'
import type { InForce } from './reloader.ts'
import type { TargetHealthDesk } from './target-health.ts'
import type { TraceFigures, TraceIntake } from './trace-intake.ts'
import type { UsageFigures } from './usage-intake.ts'

export interface NodeMetricsParts {
  readonly workers: MetricReader
  readonly status: () => StatusReport
  readonly counters: NodeCounters
  readonly targets: TargetHealthDesk
  readonly usage: () => UsageFigures
  readonly exports: () => ExportFigures
  readonly audit: () => AuditFigures
  readonly traces: Pick<TraceIntake, 'figures' | 'exemplars'>
  /** The configuration in force; null: none yet. */
  readonly config: () => SnapshotConfig | null
  readonly reload: () => InForce['reload']
}

/** All families, in the order of the table. */
export function collectMetrics(parts: NodeMetricsParts): readonly MetricFamily[] {
  const collector = createFamilyCollector()
  addProcess(collector)
  addStatus(collector, parts.status())
  const reload = parts.reload()
  collector.add(metrics.configReload, [], reload.at / 1000)
  collector.add(metrics.configRefused, [], reload.isRefused ? 1 : 0)
  addTargets(collector, parts.targets)
  addCounters(collector, parts.counters)
  addUsage(collector, parts.usage())
  addExports(collector, parts.exports())
  addAudit(collector, parts.audit())
  addTraces(collector, parts.traces.figures())
  const config = parts.config()
  if (config !== null) {
    addLimits(collector, parts.counters, config)
    addBudgets(collector, parts.counters, config)
  }
  const families = new Map(
    parts.traces.exemplars
      .attach(withViews([...parts.workers.read(), ...collector.families]))
      .map((family) => [family.metric, family]),
  )
  return metricList.flatMap((metric) => families.get(metric) ?? [])
}

function addProcess(collector: FamilyCollector): void {
  const { user, system } = process.cpuUsage()
  collector.add(metrics.cpu, [], (user + system) / 1e6)
  collector.add(metrics.memory, [], process.memoryUsage.rss())
  const figures = readProcessFigures()
  if (figures === null) return
  const { openFiles, maxFiles, virtualMemoryBytes } = figures
  collector.add(metrics.openFiles, [], openFiles)
  if (maxFiles !== null) collector.add(metrics.maxFiles, [], maxFiles)
  if (virtualMemoryBytes !== null) collector.add(metrics.virtualMemory, [], virtualMemoryBytes)
}

function addStatus(collector: FamilyCollector, status: StatusReport): void {
  const { snapshot, workers, version, nodeVersion } = status
  collector.add(metrics.build, [version, nodeVersion], 1)
  collector.add(metrics.startTime, [], status.startedAt / 1000)
  collector.add(metrics.snapshotVersion, [], snapshot.version)
  collector.add(metrics.snapshotRefused, [], snapshot.problem === null ? 0 : 1)
  if (snapshot.appliedAt !== null) collector.add(metrics.snapshotApplied, [], snapshot.appliedAt / 1000)
  collector.add(metrics.workersConfigured, [], workers.configured)
  collector.add(metrics.workersRunning, [], workers.running)
  collector.add(metrics.restarts, [], workers.restarts)
  if (status.diskFreeBytes !== null) collector.add(metrics.diskFree, [], status.diskFreeBytes)
  if (status.certificateExpiresAt !== null)
    collector.add(metrics.certificateExpiry, [], status.certificateExpiresAt / 1000)
}

function addTargets(collector: FamilyCollector, targets: TargetHealthDesk): void {
  for (const { organizationId, deployment, model, trouble, outages } of targets.describeAll()) {
    for (const state of troubles) {
      const name = state === 'none' ? 'in_use' : state
      collector.add(metrics.targetState, [organizationId, deployment, model, name], trouble === state ? 1 : 0)
    }
    collector.add(metrics.targetOutages, [organizationId, deployment, model], outages)
  }
}

function addCounters(collector: FamilyCollector, { table }: NodeCounters): void {
  collector.add(metrics.limitSlots, [], table.slots)
  collector.add(metrics.limitSlotsUsed, [], table.slotsUsed)
  collector.add(metrics.limitRejections, ['full'], table.full)
  collector.add(metrics.limitRejections, ['busy'], table.busy)
}

function addLimits(
  collector: FamilyCollector,
  counters: NodeCounters,
  { limits, plans }: SnapshotConfig,
): void {
  const add = (id: string, labels: readonly [string, string, string, string]): void => {
    const figures = counters.readFigures(id)
    for (const decision of ruleFigures)
      collector.add(metrics.limitDecisions, [...labels, decision], figures[decision])
  }
  for (const { id, organizationId, name, mode } of limits) add(id, [organizationId, '', name, mode])
  for (const plan of plans) {
    for (const { name, mode } of plan.limits)
      add(planRuleId(plan.id, name), [plan.organizationId, plan.slug, name, mode])
  }
}

const readBudgets = createBudgetReader()

function addBudgets(collector: FamilyCollector, counters: NodeCounters, config: SnapshotConfig): void {
  for (const { rule, period, remainingRatio } of readBudgets(counters, config, Date.now())) {
    const { organizationId, name, meter } = rule
    collector.add(metrics.budgetRemaining, [organizationId, name, meter, period], remainingRatio)
  }
}

function addUsage(collector: FamilyCollector, usage: UsageFigures): void {
  collector.add(metrics.usageRecords, ['summed'], usage.records)
  collector.add(metrics.usageRecords, ['repeated'], usage.duplicates)
  collector.add(metrics.usageRecords, ['malformed'], usage.malformed)
  collector.add(metrics.usageLag, [], usage.lagMs / 1000)
}

function addExports(collector: FamilyCollector, { sinks, spoolBytes }: ExportFigures): void {
  collector.add(metrics.exportSpool, [], spoolBytes)
  for (const { name, delivered, retried, rejected, lagMs } of sinks) {
    collector.add(metrics.exportRecords, [name, 'delivered'], delivered)
    collector.add(metrics.exportRecords, [name, 'retried'], retried)
    collector.add(metrics.exportRecords, [name, 'rejected'], rejected)
    collector.add(metrics.exportLag, [name], lagMs / 1000)
    collector.add(metrics.exportDeadLetters, [name], rejected)
  }
}

function addAudit(collector: FamilyCollector, { entries, failures, published }: AuditFigures): void {
  for (const { stream, outcome, count } of entries)
    collector.add(metrics.auditEntries, [stream, outcome], count)
  collector.add(metrics.auditFailures, [], failures)
  if (published === null) return
  collector.add(metrics.auditTreeSize, [], published.size)
  collector.add(metrics.auditCheckpointAge, [], Math.max(0, Date.now() - published.at) / 1000)
}

function addTraces(collector: FamilyCollector, { lost, ...spans }: TraceFigures): void {
  for (const [result, count] of Object.entries(spans)) collector.add(metrics.traceSpans, [result], count)
  collector.add(metrics.tracesLost, [], lost)
}
