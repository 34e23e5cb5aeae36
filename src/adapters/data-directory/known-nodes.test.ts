import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepKnownNodes, readKnownNodes } from './known-nodes.ts'

test('the next start knows the number of nodes; what is no number is not known, and nothing throws', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-'))
  assert.equal(readKnownNodes(directory), null)
  keepKnownNodes(directory, 5)
  assert.equal(readKnownNodes(directory), 5)
  for (const damaged of ['', '0', '-1', '3 nodes', '99999999']) {
    writeFileSync(join(directory, 'known-nodes'), damaged)
    assert.equal(readKnownNodes(directory), null)
  }
  keepKnownNodes(directory, 2)
  assert.equal(readKnownNodes(directory), 2)
  rmSync(directory, { recursive: true })
  keepKnownNodes(directory, 4)
  assert.equal(readKnownNodes(directory), null)
})
