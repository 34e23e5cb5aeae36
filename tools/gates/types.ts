// The type checker, TypeScript 7. It reads tsconfig.json, which holds the strictest flags. TypeScript 6 is there for
// the tools that build on its library.

import { join } from 'node:path'
import { runNode } from '../run-program.ts'
import type { Gate, GateContext, GateResult, Violation } from './gate.ts'

const diagnostic = /^([^\n(]{1,400})\((\d{1,7}),\d{1,7}\): error (TS\d{1,6}: [^\n]{1,2000})$/

/** Reads `file(line,column): error TS…: text` lines; anything else that looks like an error counts too. */
export function parseDiagnostics(output: string): Violation[] {
  const found: Violation[] = []
  for (const line of output.split('\n')) {
    const match = diagnostic.exec(line)
    if (match !== null) found.push({ file: match[1] ?? '', line: Number(match[2]), message: match[3] ?? '' })
    else if (line.startsWith('error TS')) found.push({ file: 'tsconfig.json', message: line })
  }
  return found
}

async function checkTypes(ctx: GateContext): Promise<GateResult> {
  const script = join(ctx.root, 'node_modules', 'typescript7', 'bin', 'tsc')
  const args = ['-p', ctx.root, '--noEmit', '--pretty', 'false', '--listFiles']
  const run = await runNode([script, ...args], { cwd: ctx.root })
  const violations = parseDiagnostics(run.stdout)
  const own = run.stdout
    .split('\n')
    .filter((line) => line.endsWith('.ts') && !line.includes('node_modules')).length
  if (own === 0) violations.push({ file: 'tsconfig.json', message: 'the type checker was given no file' })
  if (run.code !== 0 && violations.length === 0) {
    violations.push({
      file: 'tsconfig.json',
      message: `tsc ended with code ${run.code}: ${run.stderr.trim()}`,
    })
  }
  return { violations, note: `${own} files` }
}

export const types: Gate = { name: 'types', limit: '0 errors', run: checkTypes }
