/** One limit over several processes: exact, and calm when a node or the shared counters die. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { LimitStoreLoss } from '../../src/domain/limits.ts'
import { startValkey, type ValkeyServer } from '../fixtures/valkey/valkey-server.ts'
import { type Fleet, ruleOf, startFleet } from './limit-fleet.ts'

const server = await startValkey()
after(() => server.stop())

const perSecond = 300
const rate = (name: string, onStoreLoss: LimitStoreLoss = 'local-share') =>
  ruleOf({
    id: `lim_${name}`,
    amount: perSecond,
    window: { kind: 'rolling', ms: 1000, burst: perSecond },
    onStoreLoss,
  })
/** What a node leases at most of such a rule, where three share it. */
const lease = Math.floor((perSecond * 0.02) / 3)

test('three processes under twice the load admit what one limit allows, within 2 %', async () => {
  const fleet = await startFleet({ nodes: 3, valkeyUrl: server.url, rule: rate('exact') })
  const seconds = await fleet.admit((2 * perSecond) / 3, 2000)
  const { admitted, unavailable } = fleet.total()
  const allowed = perSecond + perSecond * seconds
  await fleet.stop()
  assert.equal(unavailable, 0)
  assert.ok(Math.abs(admitted / allowed - 1) <= 0.02, `${admitted} of ${allowed}`)
})

test('a node that is killed takes no more with it than its lease', async () => {
  const fleet = await startFleet({ nodes: 3, valkeyUrl: server.url, rule: rate('killed') })
  const admitting = fleet.admit(perSecond, 2000)
  await sleep(700)
  await fleet.nodes[0]?.kill()
  const seconds = await admitting
  const { admitted } = fleet.total()
  const allowed = perSecond + perSecond * seconds
  await fleet.stop()
  assert.ok(admitted <= allowed * 1.02, `${admitted} of ${allowed}`)
  assert.ok(admitted >= allowed * 0.98 - lease, `${admitted} of ${allowed}`)
})

test('while the shared counters are away rules go by their policy, and come back without a storm', async () => {
  const open = (onStoreLoss: LimitStoreLoss, nodes: number): Promise<Fleet> =>
    startFleet({ nodes, valkeyUrl: server.url, rule: rate(onStoreLoss, onStoreLoss) })
  const fleets = await Promise.all([open('local-share', 2), open('closed', 1), open('open', 1)])
  const totals = () => fleets.map((fleet) => fleet.total())
  const admitting = fleets.map((fleet) => fleet.admit(perSecond, 6000))
  await sleep(800)
  const atLoss = totals()
  const lostAt = performance.now()
  await server.kill()
  await sleep(1000)
  const atReturn = totals()
  const seconds = (performance.now() - lostAt) / 1000
  await server.restart()
  const returnedAt = performance.now()
  await Promise.all(admitting)
  const atEnd = totals()
  const secondsAfter = (performance.now() - returnedAt) / 1000
  const stats = await statsOf(server)
  for (const fleet of fleets) await fleet.stop()

  const without = atReturn.map((tally, at) => tally.admitted - (atLoss[at]?.admitted ?? 0))
  const afterwards = atEnd.map((tally, at) => tally.admitted - (atReturn[at]?.admitted ?? 0))
  const [share = 0, closed = 0, everybody = 0] = without
  const allowed = perSecond + perSecond * seconds
  assert.ok(
    share <= (allowed + 2 * lease) * 1.05 && share >= (perSecond * seconds) / 2,
    `share: ${share} of ${allowed}`,
  )
  assert.ok(closed <= 3 * lease + perSecond * 0.1, `closed: ${closed}`)
  assert.ok((atReturn[1]?.unavailable ?? 0) > perSecond / 3, 'closed: says that nobody can say')
  assert.ok(everybody >= 0.6 * perSecond * seconds, `open: ${everybody}`)
  assert.equal(atEnd[2]?.unavailable, 0)
  const [shareAfter = 0, closedAfter = 0] = afterwards
  // Share and new store have a burst each.
  const allowedAfter = 2 * perSecond + perSecond * secondsAfter
  assert.ok(shareAfter <= allowedAfter * 1.02, `share: ${shareAfter} of ${allowedAfter}`)
  assert.ok(closedAfter > perSecond / 3, 'closed: recovers')
  // One of the fixture, which waits for the server, one of this test, and one of each node.
  assert.ok(stats.connections <= 1 + 1 + 4, `${stats.connections} connections`)
})

async function statsOf({ url }: ValkeyServer): Promise<{ readonly connections: number }> {
  const redis = new Redis(url)
  const text = await redis.info('stats')
  redis.disconnect()
  return { connections: Number(/total_connections_received:(\d+)/.exec(text)?.[1]) }
}

const budget = 100_000
const reservedMicroUsd = 100
const costMicroUsd = 75
const money = ruleOf({
  id: 'lim_money',
  meter: 'cost',
  amount: budget,
  window: { kind: 'calendar', period: 'month', timeZone: 'UTC' },
  onStoreLoss: 'closed',
})

/** What the database says was used of the budget. */
function usedOf(fleet: Fleet): number {
  const file = new DatabaseSync(fleet.databaseFile)
  const row = file.prepare("select units from counters where key like '%lim_money%'").get()
  file.close()
  return Number(row?.['units'])
}

test('three processes spend one budget to its end, never over, and the database knows it to the unit', async () => {
  const fleet = await startFleet({ nodes: 3, rule: money, reservedMicroUsd })
  await fleet.admit(500, 1200)
  for (const node of fleet.nodes) await node.close()
  const spent = fleet.total().admitted * costMicroUsd
  const used = usedOf(fleet)
  await fleet.stop()
  assert.equal(used, spent)
  assert.ok(spent <= budget && spent > budget * 0.98, `${spent} of ${budget}`)
})

test('a process that is killed while it spends loses no more than its lease', async () => {
  const fleet = await startFleet({ nodes: 2, rule: money, reservedMicroUsd })
  const admitting = fleet.admit(200, 1000)
  await sleep(500)
  await fleet.nodes[0]?.kill()
  await admitting
  await fleet.nodes[1]?.close()
  const lost = usedOf(fleet) - fleet.total().admitted * costMicroUsd
  await fleet.stop()
  // Two leases of one node: one that is used up, and the next, fetched ahead.
  const most = 2 * Math.max(budget * 0.02, reservedMicroUsd)
  assert.ok(lost >= 0 && lost <= most, `${lost} of at most ${most}`)
})
