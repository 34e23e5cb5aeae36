// Copied code: jscpd over what is hand-written, tests and generated files apart.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runNode } from '../run-program.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

export const clonesMaxPercent = 1

type Place = { readonly name: string; readonly start: number; readonly end: number }
type CloneReport = {
  readonly duplicates: readonly {
    readonly lines: number
    readonly firstFile: Place
    readonly secondFile: Place
  }[]
  readonly statistics: { readonly total: { readonly percentage: number; readonly sources: number } }
}

async function findClones(root: string, folder: string): Promise<CloneReport> {
  const output = mkdtempSync(join(tmpdir(), 'clones-'))
  try {
    const jscpd = join(root, 'node_modules', 'jscpd', 'run-jscpd.js')
    const args = [jscpd, '--config', join(root, '.jscpd.json'), '--output', output, folder]
    const run = await runNode(args, { cwd: root })
    const path = join(output, 'jscpd-report.json')
    try {
      return JSON.parse(readFileSync(path, 'utf8'))
    } catch {
      throw new Error(`jscpd wrote no report: ${(run.stderr + run.stdout).trim()}`)
    }
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

async function checkClones(ctx: GateContext): Promise<GateResult> {
  const report = await findClones(ctx.root, '.')
  const { percentage, sources } = report.statistics.total
  const note = `${percentage.toFixed(2)} % of ${sources} files`
  if (sources === 0)
    return { violations: [{ file: '.jscpd.json', message: 'jscpd was given no file' }], note }
  if (percentage <= clonesMaxPercent) return { violations: [], note }
  const violations: Violation[] = report.duplicates.map((clone) => ({
    file: clone.firstFile.name,
    line: clone.firstFile.start,
    message: `${clone.lines} lines are also at ${clone.secondFile.name}:${clone.secondFile.start}`,
  }))
  return { violations, note }
}

export const clones: Gate = { name: 'clones', limit: `≤ ${clonesMaxPercent} %`, run: checkClones }
