// A test that needs a program of the system finds it, or says which package brings it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectRoot } from './pinned-node.mjs'
import { runNode } from './run-program.ts'
import { findSystemProgram, requireSystemProgram, systemPrograms } from './system-packages.ts'

test('a program is found in the PATH that is given', () => {
  assert.equal(findSystemProgram('sh', '/nowhere:/bin'), '/bin/sh')
  assert.equal(findSystemProgram('no-such-program', '/bin'), undefined)
})

test('a program that is not in the table is refused, so that the table stays complete', () => {
  assert.throws(() => requireSystemProgram('sh'), /not in the table/)
})

test('--missing names the packages of missing programs, one a line', async () => {
  const run = await runNode(['tools/system-packages.ts', '--missing'], {
    cwd: projectRoot,
    env: { PATH: '/nowhere' },
  })
  const packages = new Set(systemPrograms.map((row) => row.debianPackage))
  for (const line of run.stdout.split('\n').filter((text) => text !== '')) assert.ok(packages.has(line), line)
  assert.equal(run.code, 0)
})
