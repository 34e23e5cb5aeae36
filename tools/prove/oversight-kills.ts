/** kill -9 under load, over and over: what was answered arrives, nothing stands twice, the audit log is whole each time. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectRoot } from '../pinned-node.mjs'
import { runNode } from '../run-program.ts'
import { type OversightRun, settledRows, withRun } from './oversight-run.ts'
import { atLeast, atMost, type ProofOptions, type ProofRow } from './slice.ts'

const quickKills = 3
const baseMs = 600_000
const roundMs = 60_000
/** Load before a kill, at least and at most. */
const loadMs = [400, 2500] as const

/** `gatewright audit verify`, as an operator runs it. */
async function isAuditWhole(
  { dataDirectory, directory }: OversightRun,
  say: ProofOptions['say'],
): Promise<boolean> {
  const program = join(projectRoot, 'src/cli/main.ts')
  const run = await runNode([program, 'audit', 'verify', '--data-dir', dataDirectory], { cwd: directory })
  if (run.code !== 0) say(`  ${run.stdout}${run.stderr}`.trimEnd())
  return run.code === 0
}

async function killOnce(run: OversightRun): Promise<void> {
  const loading = run.load(new AbortController().signal)
  await sleep(loadMs[0] + Math.random() * (loadMs[1] - loadMs[0]))
  await run.kill()
  await loading
}

export async function proveKills({ quick, kills: asked, say }: ProofOptions): Promise<readonly ProofRow[]> {
  const kills = quick ? Math.min(asked, quickKills) : asked
  return withRun({ withinMs: baseMs + kills * roundMs }, async (run) => {
    await run.start()
    let damaged = 0
    for (let kill = 0; kill < kills; kill += 1) {
      await killOnce(run)
      // Until then a tile may lie there that the kill left without its checkpoint; the start clears it up.
      await run.start()
      if (!(await isAuditWhole(run, say))) damaged += 1
      say(`  kill ${kill + 1} of ${kills}: ${run.promised.size} events promised`)
    }
    const settled = await run.settle()
    return [
      atLeast('kill -9 under load', kills, { limit: quick ? 1 : asked, unit: '' }),
      atMost('starts after which gatewright audit verify fails', damaged, {
        limit: 0,
        unit: '',
      }),
      ...settledRows('kills', settled),
    ]
  })
}
