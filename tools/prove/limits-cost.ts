/** What limits cost: one check, the memory of counters, and the product with and without them. */
import { join } from 'node:path'
import { projectRoot } from '../pinned-node.mjs'
import { runNode } from '../run-program.ts'
import { runBench } from './gateway-load.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

interface CheckFigures {
  readonly checkMicroseconds: number
  readonly checkAndSettleMicroseconds: number
  readonly singlyCheckMicroseconds: number
  readonly leasedCheckMicroseconds: number
  readonly leasedCheckAndSettleMicroseconds: number
  readonly counters: number
  readonly totalMegabytes: number
}

/** `bench/micro/limits.ts` in a process of its own. */
export async function proveCheck(): Promise<readonly ProofRow[]> {
  const run = await runNode([join(projectRoot, 'bench/micro/limits.ts')], { cwd: projectRoot })
  const figures = JSON.parse(run.stdout) as CheckFigures
  return [
    atMost('one check of four limits', figures.checkMicroseconds, { limit: 2, unit: 'µs' }),
    {
      claim: 'the same with its settlement',
      target: '',
      measured: figures.checkAndSettleMicroseconds,
      unit: 'µs',
      ok: null,
    },
    {
      claim: 'one check where keys ask less than 60 times a second',
      target: '',
      measured: figures.singlyCheckMicroseconds,
      unit: 'µs',
      ok: null,
    },
    atMost('one check of four limits, the budget leased', figures.leasedCheckMicroseconds, {
      limit: 2,
      unit: 'µs',
    }),
    {
      claim: 'the same with its settlement',
      target: '',
      measured: figures.leasedCheckAndSettleMicroseconds,
      unit: 'µs',
      ok: null,
    },
    atMost('memory of counters, with 100,000 in use', figures.totalMegabytes, { limit: 64, unit: 'MB' }),
    {
      claim: 'counters in use',
      target: '≥ 100000',
      measured: figures.counters,
      unit: '',
      ok: figures.counters >= 100_000,
    },
  ]
}

/** The product with limits beside the product without, in one run. */
export function proveLimitBench(options: ProofOptions): Promise<readonly ProofRow[]> {
  return runBench(options, ['shipped', 'limited'], ['--only', 'throughput,latency,chunks', '--repeats', '5'])
}
