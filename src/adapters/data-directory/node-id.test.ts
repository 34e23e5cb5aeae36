import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readNodeId } from './node-id.ts'

test('a node has one id for ever, another directory another; a damaged file is refused', () => {
  const one = mkdtempSync(join(tmpdir(), 'gatewright-'))
  const two = mkdtempSync(join(tmpdir(), 'gatewright-'))
  const id = readNodeId(one)
  assert.equal(readNodeId(one), id)
  assert.notEqual(readNodeId(two), id)
  assert.equal(statSync(join(one, 'node-id')).mode & 0o077, 0)
  writeFileSync(join(one, 'node-id'), 'usage')
  assert.throws(() => readNodeId(one), /holds no node id/)
  for (const directory of [one, two]) rmSync(directory, { recursive: true })
})
