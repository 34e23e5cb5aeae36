import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { UsageRecord } from '../domain/usage.ts'
import { sampleRecord } from './sample-record.ts'
import { createUsageScan, scanUsageLine, type UsageFigures } from './scan-usage-line.ts'

const figureNames = [
  'outcome',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'estimated',
  'costMicroUsd',
  'durationMs',
] as const satisfies readonly (keyof UsageFigures)[]

/** Texts that try to look like fields. */
const tricky = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(',"fault":', '","time":1,', '\\', '"', ',"inputTokens":7,', '}', '\n', '{"id":"', '\u2028'),
)
const tokens = fc.nat(1_000_000_000)
const record: fc.Arbitrary<UsageRecord> = fc
  .record({
    id: tricky,
    time: fc.nat(2_000_000_000_000),
    model: tricky,
    servedModel: tricky,
    fault: tricky,
    endUser: tricky,
    operation: tricky,
    inputTokens: tokens,
    outputTokens: tokens,
    cachedInputTokens: tokens,
    estimated: fc.boolean(),
    outcome: fc.constantFrom('completed', 'failed', 'refused', 'disconnected'),
    costMicroUsd: fc.option(fc.oneof(tokens, fc.double({ min: 0, max: 1e9, noNaN: true }))),
    durationMs: fc.oneof(tokens, fc.double({ min: 0, max: 1e7, noNaN: true })),
    tags: fc.dictionary(fc.oneof(tricky, fc.constantFrom('status', 'fault', 'durationMs')), tricky, {
      maxKeys: 3,
    }),
  })
  .map((changes) => sampleRecord(1, changes))

test('what is scanned is what JSON.parse gives, whatever the texts hold', () => {
  let scanned = 0
  fc.assert(
    fc.property(record, (original) => {
      const scan = createUsageScan()
      if (!scanUsageLine(JSON.stringify(original), scan)) return
      scanned += 1
      assert.equal(scan.id, original.id)
      assert.equal(scan.time, original.time)
      for (const name of figureNames) assert.equal(scan[name], original[name], name)
      const series = JSON.parse(`{${scan.series.slice(1)}}`) as Partial<UsageRecord>
      for (const name of ['organizationId', 'model', 'servedModel', 'operation', 'status'] as const) {
        assert.equal(series[name], original[name], name)
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(scanned > 500, 'most lines take the short way')
})

test('what is not written as ours is left to the full parser', () => {
  const line = JSON.stringify(sampleRecord(1))
  const scan = createUsageScan()
  assert.equal(scanUsageLine(line, scan), true)
  const { time, ...rest } = sampleRecord(1)
  const strange = [
    JSON.stringify({ ...rest, time }),
    line.replace('"inputTokens":1200', '"inputTokens":-1'),
    line.replace('"inputTokens":1200', '"inputTokens":"1200"'),
    line.replace('"outcome":"completed"', '"outcome":"other"'),
    line.replace('"estimated":false', '"estimated":0'),
    line.replace(',"durationMs":812.25', ''),
    line.replace('812.25', '1e999'),
    ` ${line}`,
    line.slice(0, -2),
    '',
    '{}',
  ]
  for (const text of strange) assert.equal(scanUsageLine(text, scan), false, text)
})
