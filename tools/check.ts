// Checks every law of this repository, two gates at a time, and prints one line for each.
//
//   npm run check [-- --fix] [-- <gate name> …]
//
// --fix formats first. Exit code 1 when a gate fails. Gates are in tools/gates/, one file each.

import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { allGates } from './gates/all-gates.ts'
import { formatTree } from './gates/format-and-lint.ts'
import type { Gate, GateContext, GateResult } from './gates/gate.ts'
import { createGateContext } from './gates/gate.ts'
import { projectRoot } from './pinned-node.mjs'

const gatesAtOnce = 2
const violationsShown = 40

type Outcome = GateResult & { readonly gate: Gate; readonly seconds: number }

async function runGate(gate: Gate, ctx: GateContext): Promise<Outcome> {
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  try {
    const result = await gate.run(ctx)
    return { ...result, gate, seconds: seconds() }
  } catch (err) {
    const message = `the gate itself failed: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}`
    return { violations: [{ file: 'tools/gates', message }], note: 'broken', gate, seconds: seconds() }
  }
}

function describeOutcome(outcome: Outcome): string {
  const { gate, violations, note, seconds } = outcome
  const state = violations.length === 0 ? 'ok  ' : 'FAIL'
  const lines = [
    `${state} ${gate.name.padEnd(22)} ${seconds.toFixed(1).padStart(5)} s  ${gate.limit.padEnd(52)} ${note}`,
  ]
  for (const { file, line, message } of violations.slice(0, violationsShown)) {
    lines.push(`       ${line === undefined ? file : `${file}:${line}`}  ${message}`)
  }
  if (violations.length > violationsShown)
    lines.push(`       and ${violations.length - violationsShown} more`)
  return lines.join('\n')
}

/** Runs the gates on the tree below `root`, prints them in their order, and counts those that fail. */
export async function check(
  root: string,
  gates: readonly Gate[],
  print: (text: string) => void,
): Promise<number> {
  const ctx = createGateContext(root)
  const outcomes: (Outcome | undefined)[] = gates.map(() => undefined)
  let next = 0
  let printed = 0
  let failed = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < gates.length; index = next++) {
      const gate = gates[index]
      if (gate === undefined) return
      const outcome = await runGate(gate, ctx)
      outcomes[index] = outcome
      if (outcome.violations.length > 0) failed += 1
      for (let done = outcomes[printed]; done !== undefined; done = outcomes[++printed])
        print(describeOutcome(done))
    }
  }
  await Promise.all(Array.from({ length: gatesAtOnce }, work))
  return failed
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { fix: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  if (values.fix) console.log(await formatTree(projectRoot))
  const chosen = allGates.filter(
    (gate) => positionals.length === 0 || positionals.some((name) => gate.name.includes(name)),
  )
  if (chosen.length === 0) {
    console.log(
      `no gate is called ${positionals.join(', ')}; the gates: ${allGates.map(({ name }) => name).join(', ')}`,
    )
    process.exit(2)
  }
  const started = performance.now()
  const failed = await check(projectRoot, chosen, console.log)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${failed === 0 ? 'all' : `${failed} of`} ${chosen.length} gates ${failed === 0 ? 'pass' : 'fail'} (${seconds} s)`,
  )
  process.exitCode = failed === 0 ? 0 : 1
}
