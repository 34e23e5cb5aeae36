/**
 * Limits over three processes with real stores: how exact they are, what a killed node and a killed store cost. Each
 * process is a limiter with the stores of a real node (test/limits/limit-node.ts), offered twice what is allowed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { LimitRule } from '../../src/domain/limits.ts'
import { startPostgres } from '../../test/fixtures/postgres/postgres-server.ts'
import { startValkey } from '../../test/fixtures/valkey/valkey-server.ts'
import { type Fleet, ruleOf, startFleet } from '../../test/limits/limit-fleet.ts'
import { atMost, type ProofOptions, type ProofRow } from './slice.ts'

const nodes = 3
const perSecond = 600
const leaseShare = 0.02
const rate = (id: string, own: Partial<LimitRule> = {}): LimitRule =>
  ruleOf({ id, amount: perSecond, window: { kind: 'rolling', ms: 1000, burst: perSecond }, ...own })
const lease = Math.floor((perSecond * leaseShare) / nodes)
/** A window admits at most burst + rate × time. */
const allowedIn = (seconds: number): number => perSecond + perSecond * seconds
interface Shown {
  readonly ok: boolean
  readonly measured: string | number
  readonly target: string
}
const isTrue = (claim: string, shown: Shown): ProofRow => ({ claim, unit: '', ...shown })

const lengthMs = ({ quick }: ProofOptions, full: number): number => (quick ? full / 5 : full)

export async function proveGlobalLimit(options: ProofOptions): Promise<readonly ProofRow[]> {
  const server = await startValkey()
  const rows: ProofRow[] = []
  for (const kind of ['valkey', 'postgres'] as const) {
    const database = kind === 'postgres' ? await startPostgres() : null
    const fleet = await startFleet({
      nodes,
      rule: rate(`lim_${kind}`),
      ...(database === null ? { valkeyUrl: server.url } : { postgresUrl: await database.createDatabase() }),
    })
    const seconds = await fleet.admit((2 * perSecond) / nodes, lengthMs(options, 15_000))
    const { admitted } = fleet.total()
    await fleet.stop()
    await database?.stop()
    const error = Math.abs(admitted / allowedIn(seconds) - 1) * 100
    const claim = `${nodes} processes, one limit of ${perSecond}/s in ${kind}: error`
    rows.push(atMost(claim, error, { limit: 2, unit: '%' }))
  }
  await server.stop()
  return rows
}

export async function proveKilledNode(options: ProofOptions): Promise<readonly ProofRow[]> {
  const server = await startValkey()
  const fleet = await startFleet({ nodes, valkeyUrl: server.url, rule: rate('lim_killed') })
  const forMs = lengthMs(options, 15_000)
  const admitting = fleet.admit(perSecond, forMs)
  await sleep(forMs / 3)
  await fleet.nodes[0]?.kill()
  const allowed = allowedIn(await admitting)
  const { admitted } = fleet.total()
  await fleet.stop()
  await server.stop()
  const missing = Math.max(0, allowed - admitted)
  return [
    atMost('kill -9 of one of them: admitted too much', Math.max(0, admitted / allowed - 1) * 100, {
      limit: 2,
      unit: '%',
    }),
    atMost(
      `kill -9 of one of them: lost (a lease is ${lease}, 2 % is ${Math.round(allowed * 0.02)})`,
      missing,
      {
        limit: lease + Math.round(allowed * 0.02),
        unit: '',
      },
    ),
  ]
}

/** The store is away for a third of the time. */
async function loseStore(onStoreLoss: LimitRule['onStoreLoss'], forMs: number) {
  const server = await startValkey()
  const fleet = await startFleet({
    nodes,
    valkeyUrl: server.url,
    rule: rate(`lim_${onStoreLoss}`, { onStoreLoss }),
  })
  const admitting = fleet.admit((2 * perSecond) / nodes, forMs)
  await sleep(forMs / 3)
  const before = fleet.total()
  const lostAt = performance.now()
  await server.kill()
  await sleep(forMs / 3)
  const without = fleet.total()
  const seconds = (performance.now() - lostAt) / 1000
  // Nodes are back as soon as it answers, which is before the restart has ended.
  const returnedAt = performance.now()
  await server.restart()
  await admitting
  const after = fleet.total()
  const secondsAfter = (performance.now() - returnedAt) / 1000
  await fleet.stop()
  await server.stop()
  return {
    without: without.admitted - before.admitted,
    offered: 2 * perSecond * seconds,
    allowedWithout: allowedIn(seconds),
    after: after.admitted - without.admitted,
    allowedAfter: perSecond + allowedIn(secondsAfter),
  }
}

export async function proveLostStore(options: ProofOptions): Promise<readonly ProofRow[]> {
  const forMs = lengthMs(options, 18_000)
  const share = await loseStore('local-share', forMs)
  const closed = await loseStore('closed', forMs)
  const open = await loseStore('open', forMs)
  const over = (admitted: number, allowed: number) => Math.max(0, (admitted / allowed - 1) * 100)
  return [
    atMost(
      'store killed, local-share: all nodes together over the limit',
      over(share.without, share.allowedWithout + nodes * lease),
      { limit: 2, unit: '%' },
    ),
    isTrue('store killed, local-share: goes on', {
      ok: share.without >= share.allowedWithout / 3,
      measured: share.without,
      target: `≥ ${Math.round(share.allowedWithout / 3)}`,
    }),
    atMost('store killed, closed: admitted (leases and what was under way)', closed.without, {
      limit: nodes * lease + 0.1 * perSecond,
      unit: '',
    }),
    isTrue('store killed, open: admits what is offered', {
      ok: open.without >= 0.9 * open.offered,
      measured: open.without,
      target: `≥ ${Math.round(0.9 * open.offered)}`,
    }),
    atMost('store started again, empty: over burst and rate', over(share.after, share.allowedAfter), {
      limit: 2,
      unit: '%',
    }),
  ]
}

const reservedMicroUsd = 100
const costMicroUsd = 75

async function usedOf(url: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ units: number }>('select units from counters')
  await client.end()
  return Number(rows[0]?.units)
}

/** One budget in PostgreSQL, which is killed and started again while three processes spend. */
export async function proveBudget(options: ProofOptions): Promise<readonly ProofRow[]> {
  const forMs = lengthMs(options, 15_000)
  const offeredPerSecond = 900
  const budget = Math.round((forMs / 1000) * offeredPerSecond * costMicroUsd * 0.4)
  const server = await startPostgres()
  const spend = async (during: (fleet: Fleet) => Promise<void>) => {
    const url = await server.createDatabase()
    const window = { kind: 'calendar', period: 'month', timeZone: 'UTC' } as const
    const rule = ruleOf({ id: 'lim_money', meter: 'cost', amount: budget, window, onStoreLoss: 'closed' })
    const fleet = await startFleet({ nodes, postgresUrl: url, rule, reservedMicroUsd })
    const admitting = fleet.admit(offeredPerSecond / nodes, forMs)
    await during(fleet)
    await admitting
    for (const node of fleet.nodes) await node.close()
    const spent = fleet.total().admitted * costMicroUsd
    await fleet.stop()
    return { spent, used: await usedOf(url) }
  }
  const calm = await spend(async () => {})
  const killed = await spend(async (fleet) => {
    await sleep(forMs / 4)
    await fleet.nodes[0]?.kill()
    await sleep(forMs / 8)
    await server.kill()
    await sleep(500)
    await server.restart()
  })
  await server.stop()
  const budgetLease = Math.max(budget * leaseShare, reservedMicroUsd)
  return [
    isTrue('a budget in PostgreSQL, three processes: spent', {
      ok: calm.spent <= budget,
      measured: calm.spent,
      target: `≤ ${budget}`,
    }),
    isTrue('the database knows it to the unit', {
      ok: calm.used === calm.spent,
      measured: calm.used,
      target: `= ${calm.spent}`,
    }),
    isTrue('the same, a node and PostgreSQL killed: spent', {
      ok: killed.spent <= budget,
      measured: killed.spent,
      target: `≤ ${budget}`,
    }),
    isTrue('nothing that was spent is missing; lost with the killed node', {
      ok: killed.used >= killed.spent && killed.used - killed.spent <= 2 * budgetLease,
      measured: killed.used - killed.spent,
      target: `0 to ${2 * budgetLease}`,
    }),
  ]
}
