/** A thread that counts as a worker does, and tells nobody: `workerData` says under which number, and how often. */
import { parentPort, workerData } from 'node:worker_threads'
import { openMetricWriter } from '../metric-writer.ts'
import { testTable } from './test-table.ts'

export interface CountingData {
  readonly buffer: SharedArrayBuffer
  readonly writer: number
  /** 0: until it is killed. */
  readonly rounds: number
  /** Label sets that are counted in, in turn. */
  readonly sets: number
}

const { buffer, writer, rounds, sets } = workerData as CountingData
const { calls, seconds, waiting } = testTable.metrics
const metrics = openMetricWriter(buffer, writer, testTable)
metrics.set(metrics.bind(waiting, []), 1)
for (let round = 0; rounds === 0 || round < rounds; round += 1) {
  const name = `set-${round % sets}`
  metrics.add(metrics.bind(calls, [name, 'ok']), 1)
  metrics.observe(seconds, metrics.bind(seconds, [name]), 0.5)
  if (round === sets) parentPort?.postMessage('counting')
}
