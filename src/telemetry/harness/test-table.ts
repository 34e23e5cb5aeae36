/** A small table of metrics, for tests. */
import { metricsOf } from '../metric.ts'

const workers = metricsOf('workers')

export const testMetrics = {
  calls: workers.counter('test_calls_total', {
    help: 'Calls.',
    labels: ['name', 'result'],
    maxSeries: 50,
  }),
  seconds: workers.histogram('test_call_duration_seconds', {
    help: 'Time.',
    unit: 'seconds',
    labels: ['name'],
    maxSeries: 50,
    buckets: [0.1, 1, 10],
  }),
  waiting: workers.gauge('test_waiting_calls', { help: 'Calls that wait.' }),
  share: workers.gauge('test_share_ratio', { help: 'A mean.', unit: 'ratio', combine: 'mean' }),
  overflows: workers.counter('test_overflows_total', {
    help: 'Label sets without room.',
    labels: ['metric'],
    maxSeries: 5,
  }),
}

export const testTable = {
  metrics: testMetrics,
  list: Object.values(testMetrics),
  overflows: testMetrics.overflows,
}
