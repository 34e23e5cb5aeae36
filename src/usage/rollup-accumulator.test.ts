import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRollupAccumulator, maxNameLength, otherModel } from './rollup-accumulator.ts'
import { sampleRecord, sampleTime } from './sample-record.ts'

test('records fall into the minute in which they began', () => {
  const accumulator = createRollupAccumulator()
  const minute = sampleTime - (sampleTime % 60_000)
  for (const time of [minute, minute + 59_999, minute + 60_000]) accumulator.add(sampleRecord(1, { time }))
  assert.deepEqual(
    accumulator.take().map((rollup) => [rollup.minute, rollup.sums.requests]),
    [
      [minute, 2],
      [minute + 60_000, 1],
    ],
  )
  assert.deepEqual(accumulator.take(), [])
})

test('a latency falls into the bucket whose bound it does not exceed', () => {
  for (const [durationMs, bucket] of [
    [0, 0],
    [25, 0],
    [25.1, 1],
    [60_000, 10],
    [60_001, 11],
  ] as const) {
    const accumulator = createRollupAccumulator()
    accumulator.add(sampleRecord(1, { durationMs }))
    const latency = accumulator.take()[0]?.latency ?? []
    assert.equal(latency.indexOf(1), bucket)
    assert.equal(latency.length, 12)
  }
})

test('model names that nothing served are not kept: a caller cannot make series at will', () => {
  const accumulator = createRollupAccumulator()
  for (let index = 0; index < 1000; index += 1) {
    accumulator.add(sampleRecord(index, { time: sampleTime, model: `made-up-${index}`, deploymentId: '' }))
  }
  const rollups = accumulator.take()
  assert.equal(rollups.length, 1)
  assert.equal(rollups[0]?.dimensions.model, '')
  assert.equal(rollups[0]?.sums.requests, 1000)
})

test('the same key and model under two products are two series', () => {
  const accumulator = createRollupAccumulator()
  for (const productId of ['prd_a', 'prd_b', 'prd_a'])
    accumulator.add(sampleRecord(1, { time: sampleTime, productId }))
  assert.deepEqual(
    accumulator.take().map(({ dimensions, sums }) => [dimensions.productId, sums.requests]),
    [
      ['prd_a', 2],
      ['prd_b', 1],
    ],
  )
})

test('beyond the bound of series the sums stay exact under (other), per organization', () => {
  const accumulator = createRollupAccumulator(10)
  for (let index = 0; index < 100; index += 1) {
    accumulator.add(sampleRecord(index, { time: sampleTime, model: `m${index}`, servedModel: '' }))
  }
  accumulator.add(sampleRecord(1, { time: sampleTime, organizationId: 'org_quiet' }))
  const rollups = accumulator.take()
  assert.equal(rollups.length, 12)
  const other = rollups.find((rollup) => rollup.dimensions.model === otherModel)
  assert.equal(other?.sums.requests, 90)
  const quiet = rollups.find((rollup) => rollup.dimensions.organizationId === 'org_quiet')
  assert.equal(quiet?.dimensions.model, 'gpt-4o')
})

test('no names, however long or odd, lose or double a request, and no series comes twice', () => {
  const name = fc.oneof(fc.constantFrom('a', 'a\n', '\na', ''), fc.string({ maxLength: 400 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name, fc.constantFrom('', 'dep')), { maxLength: 50 }), (names) => {
      const accumulator = createRollupAccumulator(20)
      for (const [model, servedModel, deploymentId] of names) {
        accumulator.add(sampleRecord(1, { model, servedModel, deploymentId }))
      }
      const rollups = accumulator.take()
      assert.equal(
        rollups.reduce((sum, rollup) => sum + rollup.sums.requests, 0),
        names.length,
      )
      const series = new Set(rollups.map((rollup) => JSON.stringify([rollup.minute, rollup.dimensions])))
      assert.equal(series.size, rollups.length)
      for (const { dimensions } of rollups) assert.ok(dimensions.model.length <= maxNameLength)
    }),
    { numRuns: 300 },
  )
})
