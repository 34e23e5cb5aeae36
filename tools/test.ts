// Runs the gates and then every test of the tree, three files at a time, and prints one line for each.
//
//   npm test                          gates, then all tests
//   npm test -- src/kernel            only tests whose path contains one of the words; no gates
//   npm test -- --name 'revoked'      only tests whose name matches
//
// A failure is shown with its error and with what its file wrote. The last lines are the summary of
// Node's own runner. Bounds: a test or file that runs for 5 minutes fails; exit code 1 on any failure.

import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { run } from 'node:test'
import { inspect, parseArgs } from 'node:util'
import { check } from './check.ts'
import { allGates } from './gates/all-gates.ts'
import { listFiles } from './gates/source-files.ts'
import { projectRoot } from './pinned-node.mjs'
import { createTestReport } from './test-report.ts'

const filesAtOnce = 3
const testTimeoutMs = 300_000
const folders = ['src', 'test', 'tools', 'clients', 'bench', 'examples']

/** Paths of the test files below `root`, those that contain one of `words` where words are given. */
export function listTests(root: string, words: readonly string[]): string[] {
  return folders
    .flatMap((folder) => listFiles(root, folder))
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word.replace(/^\.\//, ''))))
}

/**
 * Many small files that only compute or start the same parts: they share this process, because a process for each would
 * take ten times as long. All others run in processes of their own.
 */
const sharesProcess = new RegExp(
  `^src/(?:admin/operations|${[
    'access|config|domain|egress|events|faults|identity|kernel|metering',
    'providers|publishing|resources|routing|telemetry|tracing',
  ].join('|')})/`,
)

/** Runs the test files and prints the report. Resolves to the number of failed tests. */
async function runTests(files: readonly string[], namePattern: string | undefined): Promise<number> {
  const report = createTestReport(projectRoot, console.log)
  const pattern = namePattern === undefined ? {} : { testNamePatterns: [namePattern] }
  const common = { timeout: testTimeoutMs, cwd: projectRoot, ...pattern }
  const apart = files.filter((path) => !sharesProcess.test(path))
  const together = files.filter((path) => sharesProcess.test(path))
  const absolute = (paths: readonly string[]) => paths.map((path) => join(projectRoot, path))
  const take = async (own: Parameters<typeof run>[0]): Promise<void> => {
    for await (const event of run({ ...common, ...own })) report.take(event)
  }
  await Promise.all([
    apart.length === 0 || take({ files: absolute(apart), concurrency: filesAtOnce }),
    together.length === 0 || take({ files: absolute(together), isolation: 'none' }),
  ])
  return report.finish()
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { name: { type: 'string' } }, allowPositionals: true })
  const files = listTests(projectRoot, positionals)
  if (files.length === 0) {
    console.log(`no test file matches ${inspect(positionals)}`)
    return 1
  }
  const whole = positionals.length === 0 && values.name === undefined
  const started = performance.now()
  const gatesFailed = whole ? await check(projectRoot, allGates, console.log) : 0
  if (whole) console.log('')
  const testsFailed = await runTests(files, values.name)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const gates = whole ? `${allGates.length - gatesFailed} of ${allGates.length} gates pass; ` : ''
  console.log(
    `\n${gates}${testsFailed === 0 ? 'all tests pass' : `${testsFailed} tests fail`} (${seconds} s)`,
  )
  return gatesFailed + testsFailed
}

if (import.meta.main) process.exitCode = (await main()) === 0 ? 0 : 1
