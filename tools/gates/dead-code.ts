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

async function checkDeadCode(ctx: GateContext): Promise<GateResult> {
  const knip = join(ctx.root, 'node_modules', 'knip', 'bin', 'knip.js')
  const args = [
    knip,
    '--reporter',
    'json',
    '--no-exit-code',
    '--no-config-hints',
    '--include',
    Object.keys(kinds).join(','),
  ]
  const run = await runNode(args, { cwd: ctx.root })
  const start = run.stdout.indexOf('{"')
  if (start < 0) {
    return {
      violations: [{ file: 'knip.json', message: (run.stderr + run.stdout).trim().slice(0, 2000) }],
      note: 'no report',
    }
  }
  const report: KnipReport = JSON.parse(run.stdout.slice(start))
  const violations: Violation[] = []
  for (const issue of report.issues) {
    for (const [kind, text] of Object.entries(kinds)) {
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
  return { violations, note: 'files, exports, dependencies' }
}

export const deadCode: Gate = { name: 'dead code', limit: '0', run: checkDeadCode }
