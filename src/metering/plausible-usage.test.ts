import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noUsage } from '../domain/usage.ts'
import { maxTokens, plausibleUsage } from './plausible-usage.ts'

test('figures that cannot be true are cut and marked, true ones stay the same object', () => {
  const told = { ...noUsage, inputTokens: 12, outputTokens: maxTokens }
  assert.equal(plausibleUsage(told), told)
  for (const [value, expected] of [
    [1e300, maxTokens],
    [Number.POSITIVE_INFINITY, maxTokens],
    [2 ** 53, maxTokens],
    [1.5, 1],
    [-4, 0],
    [Number.NaN, 0],
  ] as const) {
    assert.deepEqual(plausibleUsage({ ...noUsage, inputTokens: value }), {
      ...noUsage,
      inputTokens: expected,
      estimated: true,
    })
  }
})
