// Measures what the project claims, prints claim, target and measured figure, keeps the result in docs/evidence, and
// exits 1 where a figure falls short.
//
//   npm run prove                                   every slice
//   npm run prove -- gateway                        one slice
//   npm run prove -- gateway --only bench,soak      some of its sections; the others keep their last result
//   npm run prove -- gateway --soak-minutes 20      how long the soak lasts (20 by default)
//   npm run prove -- oversight --kills 5            how often a product is killed (20 by default)
//   npm run prove -- oversight --outage-minutes 1   how long a receiver of events is away (10 by default)
//   npm run prove -- gateway --quick                short runs; nothing is written

import { performance } from 'node:perf_hooks'
import { projectRoot } from './pinned-node.mjs'
import { readEvidence, type SectionEvidence, writeEvidence } from './prove/evidence.ts'
import { gateway } from './prove/gateway.ts'
import { identity } from './prove/identity.ts'
import { limits } from './prove/limits.ts'
import { describeCommit, describeMachine } from './prove/machine.ts'
import { readProofRequest } from './prove/options.ts'
import { oversight } from './prove/oversight.ts'
import type { ProofOptions, ProofRow, ProofSection, ProofSlice } from './prove/slice.ts'

/** One row for each slice; a slice is a file of tools/prove. */
const slices: readonly ProofSlice[] = [gateway, limits, oversight, identity]

function print(rows: readonly ProofRow[]): void {
  for (const { claim, target, measured, unit, ok } of rows) {
    const verdict = ok === null ? '' : ok ? 'ok' : 'SHORT'
    console.log(
      `  ${claim.padEnd(66)} ${target.padEnd(9)} ${String(measured).padStart(10)} ${unit.padEnd(4)} ${verdict}`,
    )
  }
}

/** A section that throws has proved nothing. */
async function runSection(section: ProofSection, options: ProofOptions): Promise<readonly ProofRow[]> {
  try {
    return await section.run(options)
  } catch (error) {
    const measured = error instanceof Error ? error.message : String(error)
    return [{ claim: `${section.name} runs to its end`, target: 'yes', measured, unit: '', ok: false }]
  }
}

async function proveSlice(
  slice: ProofSlice,
  options: ProofOptions,
  only: ReadonlySet<string> | null,
): Promise<boolean> {
  let holds = true
  for (const section of slice.sections) {
    if (only !== null && !only.has(section.name)) continue
    console.log(`\n${slice.name}: ${section.name}. ${section.does}`)
    const began = performance.now()
    const commit = await describeCommit(projectRoot)
    const rows = await runSection(section, options)
    print(rows)
    if (rows.some((row) => row.ok === false)) holds = false
    if (options.quick) continue
    const measured: SectionEvidence = {
      date: new Date().toISOString(),
      commit,
      machine: describeMachine(),
      seconds: Math.round((performance.now() - began) / 1000),
      rows,
    }
    // Read again: another run may have written another section meanwhile.
    const others = readEvidence(projectRoot, slice.name)
    writeEvidence(projectRoot, slice, { ...others, [section.name]: measured })
  }
  return holds
}

async function main(): Promise<boolean> {
  const request = readProofRequest(process.argv.slice(2), slices)
  let holds = true
  for (const slice of request.slices) holds = (await proveSlice(slice, request, request.only)) && holds
  console.log(holds ? '\nEvery figure holds.' : '\nA figure falls short: see SHORT above.')
  return holds
}

process.exitCode = (await main()) ? 0 : 1
