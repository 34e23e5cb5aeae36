import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import type { CountingData } from './harness/count-until-stopped.ts'
import { testMetrics, testTable } from './harness/test-table.ts'
import type { Metric } from './metric.ts'
import type { MetricFamily } from './metric-family.ts'
import { createMetricBuffer } from './metric-memory.ts'
import { openMetricReader } from './metric-reader.ts'
import { openMetricWriter } from './metric-writer.ts'

const { calls, seconds, waiting, share, overflows } = testMetrics
const writers = 3
const threads = new Set<Worker>()
// One that counts until it is killed would keep a failed test from ending.
after(() => Promise.all([...threads].map((thread) => thread.terminate())))

function setUp() {
  const buffer = createMetricBuffer(testTable.list, writers)
  return { buffer, reader: openMetricReader(buffer, testTable) }
}

function startThread(data: CountingData): Worker {
  const thread = new Worker(new URL('./harness/count-until-stopped.ts', import.meta.url), {
    workerData: data,
  })
  threads.add(thread)
  thread.on('exit', () => threads.delete(thread))
  thread.on('error', (error) => assert.fail(error))
  return thread
}

function seriesOf(families: readonly MetricFamily[], metric: Metric): Record<string, readonly number[]> {
  const family = families.find((each) => each.metric === metric)
  return Object.fromEntries((family?.series ?? []).map(({ values, cells }) => [values.join(' '), cells]))
}

const total = (series: Record<string, readonly number[]>): number =>
  Object.values(series).reduce((sum, [first = 0]) => sum + first, 0)

test('threads that count at the same time lose nothing, and meet in the same series', async () => {
  const { buffer, reader } = setUp()
  const rounds = 60_000
  const running = Array.from({ length: writers }, (_, writer) =>
    startThread({ buffer, writer, rounds, sets: 20 }),
  )
  await Promise.all(running.map((thread) => once(thread, 'exit')))
  const families = reader.read()
  const counted = seriesOf(families, calls)
  assert.equal(Object.keys(counted).length, 20)
  for (const [name, cells] of Object.entries(counted)) assert.deepEqual(cells, [writers * 3000], name)
  const timed = seriesOf(families, seconds)
  assert.deepEqual(timed['set-0'], [0, writers * 3000, 0, 0, writers * 1500])
  assert.deepEqual(seriesOf(families, waiting), { '': [writers] })
})

test('counters of a thread that is killed stay and grow on under its successor; its gauges go', async () => {
  const { buffer, reader } = setUp()
  let before = 0
  for (let kill = 0; kill < 5; kill += 1) {
    const thread = startThread({ buffer, writer: 1, rounds: 0, sets: 5 })
    await once(thread, 'message')
    assert.deepEqual(seriesOf(reader.read(), waiting), { '': [1] })
    await thread.terminate()
    reader.forget(1)
    const families = openMetricReader(buffer, testTable).read()
    assert.deepEqual(seriesOf(families, waiting), {})
    const counted = total(seriesOf(families, calls))
    assert.ok(counted > before, `${counted} after ${before}`)
    assert.equal(Object.keys(seriesOf(families, calls)).length, 5)
    before = counted
  }
})

test('a million label sets stay within the cap: what finds no room counts as other, and is counted', () => {
  const { buffer, reader } = setUp()
  const writer = openMetricWriter(buffer, 0, testTable)
  const sets = 1_000_000
  for (let set = 0; set < sets; set += 1) writer.add(writer.bind(calls, [`random ${set}`, 'ok']), 1)
  const families = reader.read()
  const counted = seriesOf(families, calls)
  assert.equal(Object.keys(counted).length, calls.maxSeries + 1)
  assert.deepEqual(counted['other other'], [sets - calls.maxSeries])
  assert.equal(total(counted), sets)
  assert.deepEqual(seriesOf(families, overflows), { test_calls_total: [sets - calls.maxSeries] })
  // Others have room still.
  writer.observe(seconds, writer.bind(seconds, ['a']), 0.05)
  assert.deepEqual(seriesOf(reader.read(), seconds), { a: [1, 0, 0, 0, 0.05] })
})

test('what is counted is what is read, whoever counts and however often threads start again', () => {
  const step = fc.record({
    writer: fc.nat({ max: writers - 1 }),
    name: fc.string({ maxLength: 8 }),
    amount: fc.double({ noNaN: true, min: -5, max: 1e6 }),
    restart: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { buffer, reader } = setUp()
      const open = (writer: number) => openMetricWriter(buffer, writer, testTable)
      const opened = Array.from({ length: writers }, (_, writer) => open(writer))
      const sums = new Map<string, number>()
      for (const { writer, name, amount, restart } of steps) {
        if (restart) {
          reader.forget(writer)
          opened[writer] = open(writer)
        }
        const own = opened[writer]
        own?.add(own.bind(calls, [name, 'ok']), amount)
        const key = `${name.replaceAll('\0', '')} ok`
        sums.set(key, (sums.get(key) ?? 0) + Math.max(0, amount))
      }
      const read = seriesOf(reader.read(), calls)
      assert.equal(Object.keys(read).length, sums.size)
      for (const [key, sum] of sums) {
        const [counted = Number.NaN] = read[key] ?? []
        assert.ok(Math.abs(counted - sum) <= sum * 1e-9, `${key}: ${counted}, not ${sum}`)
      }
    }),
    { numRuns: 200 },
  )
})

test('a gauge of several threads is their sum or their mean, of those that have set it', () => {
  const { buffer, reader } = setUp()
  const [one, two] = [openMetricWriter(buffer, 0, testTable), openMetricWriter(buffer, 1, testTable)]
  assert.deepEqual(seriesOf(reader.read(), share), {})
  for (const [writer, value] of [
    [one, 0.5],
    [two, 0.25],
  ] as const) {
    writer.set(writer.bind(share, []), value)
    writer.set(writer.bind(waiting, []), value)
  }
  assert.deepEqual(seriesOf(reader.read(), share), { '': [0.375] })
  assert.deepEqual(seriesOf(reader.read(), waiting), { '': [0.75] })
  reader.forget(1)
  assert.deepEqual(seriesOf(reader.read(), share), { '': [0.5] })
})

test('an observation falls into the bucket of its bound, inclusive; what is no time is left out', () => {
  const { buffer, reader } = setUp()
  const writer = openMetricWriter(buffer, 0, testTable)
  const cell = writer.bind(seconds, ['a'])
  for (const value of [0, 0.1, 0.10001, 1, 10, 11, -1, Number.NaN]) writer.observe(seconds, cell, value)
  assert.deepEqual(seriesOf(reader.read(), seconds)['a']?.slice(0, 4), [2, 2, 1, 1])
})

test('a label value too long for the memory, and a metric of another table, are not counted apart', () => {
  const { buffer, reader } = setUp()
  const writer = openMetricWriter(buffer, 0, testTable)
  writer.add(writer.bind(calls, ['x'.repeat(1000), 'ok']), 1)
  assert.deepEqual(seriesOf(reader.read(), calls), { 'other other': [1] })
  const stranger = { ...calls, name: 'test_strange_total' }
  assert.throws(() => writer.bind(stranger, ['a', 'b']), /not in the table/)
  assert.throws(() => openMetricWriter(buffer, writers, testTable), /no room/)
})
