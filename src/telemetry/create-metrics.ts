/** The memory for the metrics of this product. */
import { createMetricBuffer } from './metric-memory.ts'
import { metricList } from './metric-table.ts'

export function createMetrics(workers: number): SharedArrayBuffer {
  return createMetricBuffer(metricList, workers)
}
