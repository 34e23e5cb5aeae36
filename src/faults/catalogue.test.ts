import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { faults } from './catalogue.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Why no test meets them. */
const unmet: ReadonlyMap<string, string> = new Map([
  ['guard.not-inspected', 'for a detector that throws: none is known that does'],
  [
    'capacity.shutting-down',
    'for a connection that the system hands over in the moment in which the listener closes: no test can be sure of it',
  ],
])

test('every fault that callers can meet is met in a test', () => {
  const files = globSync(['src/**/*.test.ts', 'src/**/*.contract*.ts', 'test/**/*.test.ts'], {
    cwd: root,
    exclude: ['src/faults/*'],
  })
  const tests = files.map((file) => readFileSync(`${root}${file}`, 'utf8')).join('\n')
  const missing = Object.entries(faults).filter(
    ([name, { code }]) =>
      !tests.includes(code) && !new RegExp(`\\bfaults\\.${name}\\b|'${name}'`).test(tests),
  )
  assert.deepEqual(
    missing.map(([, { code }]) => code),
    [...unmet.keys()],
  )
})
