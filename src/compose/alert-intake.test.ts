/** Alerts from workers on a real database: stored, told once, bounded. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { LimitAlert, LimitAlertSighting } from '../domain/limit-alert.ts'
import { sampleOrganization } from '../ports/store.contract-samples.ts'
import type { LogEntry } from '../supervisor/log.ts'
import { type AlertIntake, type AlertIntakeOptions, openAlertIntake } from './alert-intake.ts'

const dayMs = 86_400_000
const now = 200 * dayMs
const sighting: LimitAlertSighting = {
  organizationId: 'org_a',
  limitId: 'ltm_a',
  limitName: 'budget',
  meter: 'cost',
  per: ['user'],
  subject: 'ada@example.com',
  periodStartsAt: 0,
  threshold: 0.5,
  amount: 10_000_000,
  used: 5_200_000,
  at: now,
}

async function openFixture(t: TestContext, own: Partial<AlertIntakeOptions> = {}) {
  const storage = await openSqliteStore({ path: ':memory:' })
  await storage.store.organizations.create(sampleOrganization('org_a'))
  const logged: LogEntry[] = []
  const raised: LimitAlert[] = []
  const open = (): AlertIntake =>
    openAlertIntake({
      alerts: storage.alerts,
      raised: (alert) => raised.push(alert),
      now: () => now,
      log: (entry) => logged.push(entry),
      retryMs: 5,
      ...own,
    })
  t.after(() => storage.close())
  return { storage, logged, raised, open }
}

function take(intake: AlertIntake, own: Partial<LimitAlertSighting> = {}, dropped = 0): Promise<void> {
  return new Promise((resolve) => intake.add({ sighting: { ...sighting, ...own }, dropped }, resolve))
}

test('of many sightings, also by two nodes, one is logged and sent, without the person', async (t) => {
  const { logged, raised, open } = await openFixture(t)
  const nodes = [open(), open()]
  await Promise.all(nodes.flatMap((node) => [take(node), take(node), take(node)]))
  assert.equal(raised.length, 1)
  assert.equal(logged.length, 1)
  const [entry] = logged
  assert.deepEqual([entry?.level, entry?.code], ['warn', 'limit.alert'])
  assert.match(
    entry?.text ?? '',
    /^The limit budget \(ltm_a\) of org_a has passed 50 %: 5.2 of 10 US dollars, counted for one user; alert alr_\w+\.$/,
  )
  for (const node of nodes) await node.close()
})

test('a database that fails is asked again; the worker is told when it is done', async (t) => {
  const { storage, raised, open } = await openFixture(t)
  let failures = 3
  const { prune } = storage.alerts
  const raise = (given: LimitAlertSighting): Promise<LimitAlert | null> => {
    failures -= 1
    return failures >= 0 ? Promise.reject(new Error('lost')) : storage.alerts.raise(given)
  }
  const intake = openAlertIntake({
    alerts: { raise, prune },
    raised: (alert) => raised.push(alert),
    now: () => now,
    log: () => {},
    retryMs: 5,
  })
  await take(intake)
  assert.equal(raised.length, 1)
  await intake.close()
  await open().close()
})

test('an organization has so many alerts an hour; what is lost is counted', async (t) => {
  const { logged, raised, open } = await openFixture(t, { maxPerHour: 3 })
  const intake = open()
  for (let index = 0; index < 5; index += 1) await take(intake, { subject: `user ${index}` })
  await take(intake, { organizationId: 'org_gone' }, 7)
  assert.equal(raised.length, 3)
  const losses = logged.filter(({ code }) => code === 'limit.alerts-lost')
  assert.equal(losses.length, 1)
  assert.match(losses[0]?.text ?? '', /since the start: 1\./)
  await intake.close()
})

test('alerts are removed after 90 days', async (t) => {
  const { storage, open } = await openFixture(t)
  for (const age of [89, 91])
    await storage.alerts.raise({ ...sighting, subject: String(age), at: now - age * dayMs })
  const intake = open()
  await take(intake)
  await intake.close()
  const { items } = await storage.alerts.list('org_a')
  assert.deepEqual(
    items.map(({ subject }) => subject),
    ['ada@example.com', '89'],
  )
})
