// The layers of ARCHITECTURE.md, as rules of .dependency-cruiser.cjs, and no import cycle.
//
// dependency-cruiser reads TypeScript through the `typescript` package. With a version that it does
// not know it sees no module and passes, so this gate also counts the modules that it saw.

import { join } from 'node:path'
import { runNode } from '../run-program.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'
import { listFiles } from './source-files.ts'

type CruiseReport = {
  readonly modules: readonly { readonly source: string }[]
  readonly summary: {
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
      readonly cycle?: readonly { readonly name: string }[]
    }[]
  }
}

const folders = ['src', 'tools', 'bench', 'test', 'clients', 'examples']

async function checkLayers(ctx: GateContext): Promise<GateResult> {
  const files = folders
    .flatMap((folder) => listFiles(ctx.root, folder))
    .filter((path) => path.endsWith('.ts'))
  const present = folders.filter((folder) => files.some((path) => path.startsWith(`${folder}/`)))
  const cruise = join(ctx.root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs')
  const args = [cruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...present]
  const run = await runNode(args, { cwd: ctx.root })
  if (!run.stdout.startsWith('{')) {
    return {
      violations: [{ file: '.dependency-cruiser.cjs', message: run.stderr.trim() }],
      note: 'no report',
    }
  }
  const report: CruiseReport = JSON.parse(run.stdout)
  const violations: Violation[] = report.summary.violations.map((row) => {
    const path = row.cycle === undefined ? row.to : row.cycle.map((step) => step.name).join(' → ')
    return { file: row.from, message: `${row.rule.name}: → ${path}` }
  })
  const seen = new Set(report.modules.map((module) => module.source))
  const missed = files.filter((path) => !seen.has(path))
  if (files.length === 0 || missed.length > 0) {
    const message = `dependency-cruiser saw ${files.length - missed.length} of ${files.length} modules`
    violations.push({ file: missed[0] ?? '.dependency-cruiser.cjs', message })
  }
  return { violations, note: `${seen.size} modules` }
}

export const layers: Gate = { name: 'layers and cycles', limit: '0 breaches', run: checkLayers }
