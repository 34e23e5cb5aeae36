/**
 * Figures that a worker keeps for its own use anyway, published as metrics every second: how loaded it is, who waits
 * and who was turned away, what is not on disk yet, and how far token estimates are off. Nothing is counted twice: what
 * grew since the last time is added. A worker that dies takes what grew in its last second with it.
 */
import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { priorityClasses } from '../domain/limits.ts'
import type { QueueFigures } from '../limits/index.ts'
import { type MeteredModel, type TokenEstimateError, tokenEstimateErrors } from '../metering/index.ts'
import { type MetricWriter, metrics } from '../telemetry/index.ts'
import type { LoadFigures } from './load-gauge.ts'

/** What is published. */
export interface WorkerFigures {
  /** Exchanges under way. */
  readonly open: number
  readonly load: LoadFigures
  readonly queue: QueueFigures
  /** Usage records that are not on disk. */
  readonly heldBytes: number
  /** A model as the configuration has it, however callers named it. */
  readonly labelOf: (model: MeteredModel) => string
}

const queueEvents = ['entered', 'served', 'full', 'overdue'] as const

/** Publishes each time it is called. */
export function createLoadMetrics(writer: MetricWriter, worker: string): (figures: WorkerFigures) => void {
  const openRequests = writer.bind(metrics.openRequests, [])
  const waiting = writer.bind(metrics.queueWaiting, [])
  const held = writer.bind(metrics.usageHeld, [])
  const delay = writer.bind(metrics.loopDelay, [worker])
  const utilization = writer.bind(metrics.loopUtilization, [worker])
  const heap = writer.bind(metrics.heapUsed, [worker])
  const heapTotal = writer.bind(metrics.heapTotal, [worker])
  const heapLimit = writer.bind(metrics.heapLimit, [worker])
  const external = writer.bind(metrics.externalMemory, [worker])
  const queued = queueEvents.map((event) => growing(writer, writer.bind(metrics.queueRequests, [event])))
  const shed = priorityClasses.map((priority) => growing(writer, writer.bind(metrics.shed, [priority])))
  const estimates = createEstimateMetrics(writer)
  let loop = performance.eventLoopUtilization()

  return ({ open, load, queue, heldBytes, labelOf }) => {
    writer.set(openRequests, open)
    writer.set(waiting, queue.waiting)
    writer.set(held, heldBytes)
    writer.set(delay, load.loopDelayMs / 1000)
    const now = performance.eventLoopUtilization()
    writer.set(utilization, performance.eventLoopUtilization(now, loop).utilization)
    loop = now
    const memory = getHeapStatistics()
    writer.set(heap, memory.used_heap_size)
    writer.set(heapTotal, memory.total_heap_size)
    writer.set(heapLimit, memory.heap_size_limit)
    writer.set(external, memory.external_memory)
    for (const [at, event] of queueEvents.entries()) queued[at]?.(queue[event])
    for (const [at, priority] of priorityClasses.entries()) shed[at]?.(load.shed[priority])
    estimates(groupEstimates(tokenEstimateErrors(), labelOf))
  }
}

/** Adds to a counter what a figure has grown by. */
function growing(writer: MetricWriter, cell: number): (figure: number) => void {
  let last = 0
  return (figure) => {
    writer.add(cell, figure - last)
    last = figure
  }
}

interface EstimateGroup {
  readonly names: MeteredModel
  count: number
  /** Times `count`. */
  ratio: number
  error: number
  correction: number
}

/** Models of one label together, each with the weight of what was compared. */
function groupEstimates(
  errors: readonly TokenEstimateError[],
  labelOf: WorkerFigures['labelOf'],
): ReadonlyMap<string, EstimateGroup> {
  const groups = new Map<string, EstimateGroup>()
  for (const each of errors) {
    const names = { provider: each.provider, model: labelOf(each) }
    const name = `${names.provider} ${names.model}`
    const group = groups.get(name) ?? { names, count: 0, ratio: 0, error: 0, correction: 0 }
    group.count += each.count
    group.ratio += each.ratio * each.count
    group.error += each.meanError * each.count
    group.correction += each.correction * each.count
    groups.set(name, group)
  }
  return groups
}

/** Bounded: labels are of the configuration, and `tokenEstimateErrors` of so many models. */
function createEstimateMetrics(writer: MetricWriter) {
  const counted = new Map<string, number>()
  return (groups: ReadonlyMap<string, EstimateGroup>): void => {
    for (const name of counted.keys()) if (!groups.has(name)) counted.delete(name)
    for (const [name, { names, count, ratio, error, correction }] of groups) {
      const last = counted.get(name) ?? 0
      if (count === last || count === 0) continue
      counted.set(name, count)
      const labels = [names.model, names.provider] as const
      writer.add(writer.bind(metrics.estimateCount, labels), count - last)
      writer.set(writer.bind(metrics.estimateRatio, labels), ratio / count)
      writer.set(writer.bind(metrics.estimateError, labels), error / count)
      writer.set(writer.bind(metrics.estimateCorrection, labels), correction / count)
    }
  }
}
