/** The slice of identity: who may call what, proven against the Cedar engine, and what a decision costs. */
import { join } from 'node:path'
import { compareWithEngine } from '../../src/access/harness/differential.ts'
import { projectRoot } from '../pinned-node.mjs'
import { runNode } from '../run-program.ts'
import { atMost, type ProofOptions, type ProofRow, type ProofSlice } from './slice.ts'

const decisionsOfProof = 1_000_000
const decisionsWhenQuick = 5000
const toldEach = 100_000
/** Another seed than that of the test suite: another million policies and requests. */
const seed = 5_000_011

function proveCedar({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const wanted = quick ? decisionsWhenQuick : decisionsOfProof
  let told = 0
  const { decisions, allowed, withErrors, difference } = compareWithEngine(wanted, seed, (done) => {
    if (done - told < toldEach) return
    told = done
    say(`${done} decisions compared`)
  })
  const count = (claim: string, measured: number): ProofRow => ({
    claim,
    target: '',
    measured,
    unit: '',
    ok: null,
  })
  return Promise.resolve([
    {
      claim: 'decisions of the compiled evaluator and of the Cedar engine',
      target: `≥ ${wanted}`,
      measured: decisions,
      unit: '',
      ok: decisions >= wanted,
    },
    {
      claim: 'differences in decision, determining policies or errors',
      target: '0',
      measured: difference ?? 0,
      unit: '',
      ok: difference === null,
    },
    count('of these decisions: allowed', allowed),
    count('of these decisions: with a policy that cannot be evaluated', withErrors),
  ])
}

interface AccessFigures {
  readonly isCompiled: boolean
  readonly fiftyMicroseconds: number
  readonly fiveHundredMicroseconds: number
}

/** `bench/micro/access.ts` in a process of its own. */
async function proveFigures(): Promise<readonly ProofRow[]> {
  const run = await runNode([join(projectRoot, 'bench/micro/access.ts')], { cwd: projectRoot })
  const figures = JSON.parse(run.stdout) as AccessFigures
  return [
    atMost('one decision by 50 policies', figures.fiftyMicroseconds, { limit: 5, unit: 'µs' }),
    atMost('one decision by 500 policies', figures.fiveHundredMicroseconds, { limit: 15, unit: 'µs' }),
  ]
}

export const identity: ProofSlice = {
  name: 'identity',
  title: 'Every request proven',
  sections: [
    {
      name: 'cedar',
      does: 'Random policies and requests, decided by the compiled evaluator and by the Cedar engine.',
      run: proveCedar,
    },
    { name: 'figures', does: 'What proving and deciding cost on one thread.', run: proveFigures },
  ],
}
