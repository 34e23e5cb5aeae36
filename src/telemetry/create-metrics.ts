/** The memory for the metrics of this product: of its workers, and of the control plane, which counts like one. */
import { createMetricBuffer } from './metric-memory.ts'
import { metricList } from './metric-table.ts'

export function createMetrics(workers: number): SharedArrayBuffer {
  return createMetricBuffer(metricList, workers + 1)
}
