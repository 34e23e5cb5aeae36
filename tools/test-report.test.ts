// The report of a test run loses no failure and ends with the lines that tools count.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { projectRoot } from './pinned-node.mjs'
import { runNode } from './run-program.ts'
import { listTests } from './test.ts'

const runner = `
import { run } from 'node:test'
import { createTestReport } from ${JSON.stringify(join(projectRoot, 'tools', 'test-report.ts'))}
const report = createTestReport(process.cwd(), console.log)
for await (const event of run({ files: process.argv.slice(2), concurrency: 2 })) report.take(event)
console.log('failed: ' + report.finish())
`

const suites = {
  'fine.test.ts': `import { test } from 'node:test'
    test('holds', () => {})`,
  'wrong.test.ts': `import assert from 'node:assert/strict'
    import { describe, test } from 'node:test'
    describe('a limit', () => {
      test('is kept', () => { console.log('seen: 12'); assert.equal(12, 10) })
      test('needs a browser', { skip: 'chromium is not installed' }, () => {})
    })`,
  'broken.test.ts': `throw new Error('no such table')`,
  'shared.contract.ts': `import { test } from 'node:test'
    export const suite = () => test('keeps a value', () => { throw new Error('lost') })`,
  'shared.test.ts': `import { suite } from './shared.contract.ts'
    suite()`,
}

let root = ''
before(() => {
  root = mkdtempSync(join(tmpdir(), 'report-'))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(root, 'run.ts'), runner)
  for (const [name, text] of Object.entries(suites)) writeFileSync(join(root, name), text)
})
after(() => rmSync(root, { recursive: true, force: true }))

async function report(...names: string[]): Promise<string> {
  const files = names.map((name) => join(root, name))
  // A runner inside a test would otherwise refuse to run.
  const env = { NODE_TEST_CONTEXT: undefined }
  const run = await runNode([join(root, 'run.ts'), ...files], { cwd: root, env })
  assert.equal(run.code, 0, run.stderr)
  return run.stdout
}

test('a file whose tests pass takes one line', async () => {
  const text = await report('fine.test.ts')
  assert.match(text, /^ok {3}fine\.test\.ts +1 test +\d+\.\d s$/m)
  assert.match(text, /ℹ tests 1\nℹ suites 0\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\n/)
  assert.match(text, /^failed: 0$/m)
})

test('a failure shows its full name, its error and what its file wrote; a skip its reason', async () => {
  const text = await report('wrong.test.ts')
  assert.match(text, /^FAIL wrong\.test\.ts/m)
  assert.match(text, /✖ a limit › is kept\n.*Expected values to be strictly equal/)
  assert.match(text, /what it wrote:\n +seen: 12/)
  assert.match(text, /skipped: a limit › needs a browser \(chromium is not installed\)/)
  assert.match(text, /ℹ fail 1\n.*\nℹ skipped 1\n/)
  assert.match(text, /^failed: 1$/m)
})

test('a file that cannot be loaded fails the run, beside files that pass', async () => {
  const text = await report('broken.test.ts', 'fine.test.ts')
  assert.match(text, /^FAIL broken\.test\.ts/m)
  assert.match(text, /no such table/)
  assert.match(text, /^ok {3}fine\.test\.ts/m)
  assert.match(text, /^failed: 1$/m)
})

test('a failure in a contract suite is told of the test file that ran it', async () => {
  const text = await report('shared.test.ts')
  assert.match(text, /^FAIL shared\.test\.ts +1 test[^\n]*\n[^\n]*✖ keeps a value\n[^\n]*Error: lost/m)
  assert.doesNotMatch(text, /^\S+ +shared\.contract\.ts/m)
})

test('words choose test files by their path, planted files never among them', () => {
  assert.ok(listTests(projectRoot, ['tools/test-report']).includes('tools/test-report.test.ts'))
  assert.deepEqual(listTests(projectRoot, ['no such path']), [])
  assert.deepEqual(
    listTests(projectRoot, []).filter((path) => path.startsWith('test/planted/')),
    [],
  )
})
