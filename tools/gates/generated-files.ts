// Generated files are what the generators write today: a changed contract shows as a changed file.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { listGenerators } from '../generate.ts'
import { runNode } from '../run-program.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

async function checkGenerated(ctx: GateContext): Promise<GateResult> {
  const generators = existsSync(join(ctx.root, 'tools')) ? listGenerators(ctx.root) : []
  const violations: Violation[] = []
  for (const generator of generators) {
    const run = await runNode([generator, '--check'], { cwd: ctx.root })
    if (run.code === 0) continue
    const said = (run.stderr + run.stdout).trim().split('\n').slice(0, 8).join('\n')
    violations.push({ file: generator, message: `its files are out of date (npm run generate): ${said}` })
  }
  return { violations, note: `${generators.length} generators` }
}

export const generatedFiles: Gate = { name: 'generated files', limit: 'up to date', run: checkGenerated }
