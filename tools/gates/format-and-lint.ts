// Biome: one format, and the lint rules of biome.json, promises that nobody awaits among them.

import { join } from 'node:path'
import { runNode } from '../run-program.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

type BiomeReport = {
  readonly summary: { readonly changed: number; readonly unchanged: number }
  readonly diagnostics: readonly {
    readonly severity: string
    readonly category: string
    readonly message: string
    readonly location: { readonly path: string; readonly start?: { readonly line: number } }
  }[]
}

const biome = ['node_modules', '@biomejs', 'biome', 'bin', 'biome'] as const

async function checkFormat(ctx: GateContext): Promise<GateResult> {
  const args = [join(ctx.root, ...biome), 'check', '--reporter=json', '--max-diagnostics=1000', '.']
  const run = await runNode(args, { cwd: ctx.root })
  const start = run.stdout.indexOf('{"summary"')
  if (start < 0) {
    return {
      violations: [{ file: 'biome.json', message: run.stderr.trim().slice(0, 2000) }],
      note: 'no report',
    }
  }
  const report: BiomeReport = JSON.parse(run.stdout.slice(start))
  const violations: Violation[] = report.diagnostics.map((row) => {
    const message = `${row.category}: ${row.message}`
    const line = row.location.start?.line ?? 0
    return line > 0 ? { file: row.location.path, line, message } : { file: row.location.path, message }
  })
  const files = report.summary.changed + report.summary.unchanged
  if (files === 0) violations.push({ file: 'biome.json', message: 'Biome was given no file' })
  if (run.code !== 0 && violations.length === 0) {
    violations.push({ file: 'biome.json', message: `Biome ended with code ${run.code}` })
  }
  return { violations, note: `${files} files` }
}

/** Formats the tree and applies Biome's safe fixes. Returns what Biome says about it. */
export async function formatTree(root: string): Promise<string> {
  const run = await runNode([join(root, ...biome), 'check', '--write', '--reporter=summary', '.'], {
    cwd: root,
  })
  return (run.stdout + run.stderr).trim()
}

export const formatAndLint: Gate = { name: 'format and lint', limit: '0 findings', run: checkFormat }
