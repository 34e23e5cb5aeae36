import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryTrend } from './memory-trend.ts'

test('a slow leak shows, though the last quarter is hardly above the second', () => {
  const leak = Array.from({ length: 240 }, (_, at) => 300 + at * 0.1 + (at % 7) - 3)
  const { percentPerHour, from, to } = memoryTrend(leak, 5000)
  assert.ok(Math.abs(percentPerHour - 23.5) < 1.5, String(percentPerHour))
  assert.ok(to - from > 17)
})

test('what rises in the first quarter and then stays is flat', () => {
  const rise = Array.from({ length: 80 }, (_, at) => 300 - 100 * Math.exp(-at / 2) + (at % 2))
  assert.ok(Math.abs(memoryTrend(rise, 15_000).percentPerHour) < 3)
})

test('too few samples prove nothing', () => {
  assert.ok(Number.isNaN(memoryTrend([1, 2], 60_000).percentPerHour))
})
