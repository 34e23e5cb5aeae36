// Files, exports and dependencies that nothing uses, and dependencies that are used but not declared.

import { join } from 'node:path'
import { runNode } from '../run-program.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

type Named = { readonly name: string; readonly line?: number }
type KnipReport = {
  readonly issues: readonly ({ readonly file: string } & Readonly<Record<string, unknown>>)[]
}

const kinds: Readonly<Record<string, string>> = {
  files: 'no other file uses this one',
  dependencies: 'unused dependency',
  devDependencies: 'unused development dependency',
  unlisted: 'not declared in package.json',
  unresolved: 'cannot be resolved',
  exports: 'unused export',
  types: 'unused exported type',
  duplicates: 'exported twice',
  binaries: 'program not declared',
}

/** What no program uses, though a test may: `knip.json` marks with `!` what programs are made of. */
const kindsWithoutTests: Readonly<Record<string, string>> = {
  files: 'only tests use this file',
  exports: 'only tests use this export',
  types: 'only tests use this exported type',
}

async function checkDeadCode(ctx: GateContext): Promise<GateResult> {
  const all = await findUnused(ctx, kinds, [])
  const withoutTests = await findUnused(ctx, kindsWithoutTests, ['--production'])
  const isReported = ({ file, line }: Violation) =>
    all.some((other) => other.file === file && other.line === line)
  const violations = [...all, ...withoutTests.filter((violation) => !isReported(violation))]
  return { violations, note: 'files, exports, dependencies; with tests and without' }
}

async function findUnused(
  ctx: GateContext,
  wanted: typeof kinds,
  mode: readonly string[],
): Promise<Violation[]> {
  const knip = join(ctx.root, 'node_modules', 'knip', 'bin', 'knip.js')
  const args = [
    knip,
    ...mode,
    '--reporter',
    'json',
    '--no-exit-code',
    '--no-config-hints',
    '--include',
    Object.keys(wanted).join(','),
  ]
  const run = await runNode(args, { cwd: ctx.root })
  const start = run.stdout.indexOf('{"')
  if (start < 0) return [{ file: 'knip.json', message: (run.stderr + run.stdout).trim().slice(0, 2000) }]
  const report: KnipReport = JSON.parse(run.stdout.slice(start))
  const violations: Violation[] = []
  for (const issue of report.issues) {
    for (const [kind, text] of Object.entries(wanted)) {
      for (const item of [issue[kind]].flat(2)) {
        const named = item as Named | undefined
        if (named === undefined) continue
        const message = kind === 'files' ? text : `${text}: ${named.name}`
        violations.push(
          named.line === undefined
            ? { file: issue.file, message }
            : { file: issue.file, line: named.line, message },
        )
      }
    }
  }
  return violations
}

export const deadCode: Gate = { name: 'dead code', limit: '0', run: checkDeadCode }
