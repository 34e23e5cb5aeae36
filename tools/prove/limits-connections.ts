/**
 * Attacks on the way in, one after another, against a started product: what good clients see of each. Its timeouts are
 * shortened, so that each attack lasts several times as long as the bound that ends it, and starts anew: with the
 * defaults of up to two minutes an attack of seconds would only hold connections open.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { gatewayCore, loadCore, moveToCore } from '../../bench/load/processes.ts'
import { median, rounded } from '../../bench/load/statistics.ts'
import {
  type Attack,
  attackedBounds,
  openDescriptors,
  rapidResets,
  serveGoodClients,
  slowAttacks,
  slowAuthenticatedBody,
  strangersStreams,
} from '../../test/attack/attack-programs.ts'
import { type Product, startProduct } from '../../test/journeys/product.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

const perSecond = 100
const connections = 1000
/** How many times as long as without an attack 99 of 100 requests may take. */
const mostTimes = 2
/** Below this a difference says more about the scheduler of the machine than about the product. */
const leastMs = 5
const attacks: readonly Attack[] = [...slowAttacks, slowAuthenticatedBody, rapidResets, strangersStreams]

export async function proveConnectionAttacks({ quick, say }: ProofOptions): Promise<readonly ProofRow[]> {
  moveToCore(process.pid, loadCore)
  const product = await startProduct({ config: { bounds: attackedBounds } })
  moveToCore(product.process.pid ?? 0, gatewayCore)
  const load = { seconds: quick ? 3 : 15, perSecond }
  try {
    // The first round warms up.
    await serveGoodClients(product, load)
    const descriptors = openDescriptors(product)
    const rows: ProofRow[] = []
    for (const attack of attacks) {
      const before = await serveGoodClients(product, load)
      const said = attack.run(product, { seconds: load.seconds + 2, connections })
      await sleep(1000)
      const good = await serveGoodClients(product, load)
      say(`  ${attack.name}: ${lastWords(await said)}`)
      const after = await serveGoodClients(product, load)
      const quietMs = Math.max(leastMs, median([before.p99Ms, after.p99Ms]))
      rows.push(
        atMost(`${attack.name}: requests of good clients that failed, of ${good.served}`, good.failed, {
          limit: 0,
          unit: '',
        }),
        atMost(`${attack.name}: p99 of good clients, times that without it`, good.p99Ms / quietMs, {
          limit: mostTimes,
          unit: '×',
        }),
        inMs(
          `${attack.name}: p99 without it (median of before and after)`,
          median([before.p99Ms, after.p99Ms]),
        ),
        inMs(`${attack.name}: p99 meanwhile`, good.p99Ms),
      )
    }
    rows.push(await leftBehind(product, descriptors))
    return rows
  } finally {
    await product.stop()
  }
}

const inMs = (claim: string, ms: number): ProofRow => ({
  claim,
  target: '',
  measured: rounded(ms),
  unit: 'ms',
  ok: null,
})

const settleMs = 10_000

async function leftBehind(product: Product, before: number): Promise<ProofRow> {
  const deadline = Date.now() + settleMs
  while (openDescriptors(product) > before && Date.now() < deadline) await sleep(100)
  const left = Math.max(0, openDescriptors(product) - before)
  return atMost('open descriptors left behind by all attacks', left, { limit: 5, unit: '' })
}

/** What a program says of itself at its end, without its colours. */
function lastWords(said: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the program colours its output
  const lines = said.replaceAll(/\u001b\[[\d;]*[A-Za-z]/g, '').split('\n')
  const telling = lines.filter((line) =>
    /^(?:connected|closed|service available|finished|requests)/.test(line),
  )
  return (telling.length === 0 ? lines.filter((line) => line !== '').slice(-1) : telling.slice(-4))
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .join(', ')
}
