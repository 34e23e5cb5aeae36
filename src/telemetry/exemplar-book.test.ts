import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExemplarBook } from './exemplar-book.ts'
import { metrics } from './metric-table.ts'
import { writeExposition } from './write-exposition.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const exchange = {
  traceId,
  spanId: 'b7ad6b7169203331',
  time: 1_800_000_000_000,
  durationMs: 90,
  operation: 'chat.completions',
  modelLabel: 'gpt',
  streamed: false,
}
const cells = Array.from({ length: 16 }, (_, at) => (at === 4 || at === 14 ? 1 : 0))
const families = [
  {
    metric: metrics.requestDuration,
    series: [
      { values: ['chat.completions', 'gpt', 'false'], cells },
      { values: ['chat.completions', 'other', 'false'], cells },
    ],
  },
]

test('the last trace of a bucket stands at its line, in OpenMetrics alone, and within the bounds of the bucket', () => {
  const book = new ExemplarBook()
  book.observe({ ...exchange, traceId: 'f'.repeat(32) })
  book.observe(exchange)
  book.observe({ ...exchange, durationMs: 100_000 })
  const lines = writeExposition(book.attach(families), 'openmetrics').split('\n')
  const marked = lines.filter((line) => line.includes(' # {'))
  assert.deepEqual(marked, [
    `gatewright_request_duration_seconds_bucket{operation="chat.completions",model="gpt",stream="false",le="0.16"} 1 # {trace_id="${traceId}",span_id="b7ad6b7169203331"} 0.09 1800000000.090`,
    `gatewright_request_duration_seconds_bucket{operation="chat.completions",model="gpt",stream="false",le="+Inf"} 2 # {trace_id="${traceId}",span_id="b7ad6b7169203331"} 100 1800000100.000`,
  ])
  assert.ok(!writeExposition(book.attach(families), 'prometheus').includes('trace_id'))
})

test('label sets are bounded: the oldest goes', () => {
  const book = new ExemplarBook()
  book.observe(exchange)
  for (let turn = 0; turn < 400; turn += 1) book.observe({ ...exchange, modelLabel: `m${turn}` })
  assert.ok(!writeExposition(book.attach(families), 'openmetrics').includes('trace_id'))
})
