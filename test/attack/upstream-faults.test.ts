/** The page that says what callers see for each fault of a provider is what they see. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { upstreamFaultPage, writeUpstreamFaultTable } from './upstream-fault-table.ts'

test('docs/reference/upstream-faults.md says what callers see (node test/attack/upstream-fault-table.ts)', async () => {
  const seen = await writeUpstreamFaultTable()
  assert.deepEqual(seen.split('\n'), readFileSync(upstreamFaultPage, 'utf8').split('\n'))
  assert.doesNotMatch(seen, /internal\.|sk-/)
})
