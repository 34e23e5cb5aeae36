import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareWithEngine } from './harness/differential.ts'

test('the compiled evaluator decides as the Cedar engine does, with the same policies and errors', () => {
  const { decisions, allowed, withErrors, difference } = compareWithEngine(2000, 20_261_128)
  assert.equal(difference, null)
  assert.equal(decisions, 2000)
  // A run in which everything is denied, or nothing fails, would compare little.
  assert.ok(allowed > 50, `${allowed} were allowed`)
  assert.ok(withErrors > 50, `${withErrors} had errors`)
})
