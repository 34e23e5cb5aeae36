/** Runs test files as evidence: one row for each file, with how many of its tests pass. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../pinned-node.mjs'
import { runNode } from '../run-program.ts'
import type { ProofRow } from './slice.ts'

/** Paths of the test files of a folder and those below it, relative to the project. */
export function testFilesOf(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
}

/** Runs one file; a row for each test of its first level, or one where it does not come to tests. */
export async function runTestsOf(file: string): Promise<readonly ProofRow[]> {
  const run = await runNode(['--test', '--test-reporter', 'tap', join(projectRoot, file)], {
    cwd: projectRoot,
  })
  const rows = [...run.stdout.matchAll(/^(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$/gm)].map(
    ([, verdict, name = '', directive]): ProofRow => {
      const measured = directive ?? (verdict === 'ok' ? 'passes' : 'fails')
      return {
        claim: name.replaceAll('\\', ''),
        target: 'passes',
        measured,
        unit: '',
        ok: measured === 'passes',
      }
    },
  )
  if (rows.length > 0) return rows
  return [{ claim: file, target: 'passes', measured: `ends with ${run.code}`, unit: '', ok: false }]
}

/** Runs one file; a test that is skipped or fails makes the row fall short. */
export async function runTestFile(file: string): Promise<ProofRow> {
  const args = ['--test', '--test-reporter', 'tap', join(projectRoot, file)]
  const run = await runNode(args, { cwd: projectRoot })
  const count = (name: string): number =>
    Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(run.stdout)?.[1] ?? 0)
  const tests = count('tests')
  const passed = count('pass')
  return {
    claim: file,
    target: 'all pass',
    measured: `${passed} of ${tests}`,
    unit: '',
    ok: run.code === 0 && tests > 0 && passed === tests,
  }
}
