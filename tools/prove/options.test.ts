import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../pinned-node.mjs'

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectRoot, script), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('proofs and benchmarks explain themselves', () => {
  const proof = run('tools/prove.ts', '--help')
  assert.equal(proof.status, 0)
  assert.match(proof.stdout, /gateway: journeys, incidents/)
  const bench = run('bench/run.ts', '--help')
  assert.equal(bench.status, 0)
  assert.match(bench.stdout, /throughput, latency/)
})

test('a name that means nothing is a mistake, not a proof of nothing', () => {
  for (const args of [['gatewy'], ['gateway', '--only', 'bnch'], ['--soak-minutes', '0'], ['--sok']]) {
    const { status, stderr } = run('tools/prove.ts', ...args)
    assert.equal(status, 1, args.join(' '))
    assert.match(stderr, /error:/)
  }
  for (const args of [
    ['--only', 'thruput'],
    ['--repeats', '0'],
    ['--repeats', '1.5'],
  ])
    assert.equal(run('bench/run.ts', ...args).status, 1, args.join(' '))
})
