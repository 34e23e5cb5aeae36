/** What every LimitAlerts adapter guarantees. `open` gives an empty store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitAlertSighting } from '../domain/limit-alert.ts'
import type { LimitAlerts } from './limit-alerts.ts'
import { rejectsWith, sampleOrganization } from './store.contract-samples.ts'
import type { Store } from './store.ts'

export interface OpenedLimitAlerts {
  readonly alerts: LimitAlerts
  readonly store: Store
  close(): Promise<void>
}

const sample: LimitAlertSighting = {
  organizationId: 'org_a',
  limitId: 'plan_a/budget',
  limitName: 'budget',
  meter: 'cost',
  per: ['team', 'user'],
  subject: 'research|ada',
  periodStartsAt: 1_700_000_000_000,
  threshold: 0.9,
  amount: 5_000_000,
  used: 4_600_000,
  at: 1_700_000_500_000,
}

export function testLimitAlertsContract(open: () => Promise<OpenedLimitAlerts>): void {
  const check = (name: string, body: (opened: OpenedLimitAlerts) => Promise<void>): void => {
    test(`alerts of limits: ${name}`, async () => {
      const opened = await open()
      try {
        for (const id of ['org_a', 'org_b']) await opened.store.organizations.create(sampleOrganization(id))
        await body(opened)
      } finally {
        await opened.close()
      }
    })
  }

  check('of all who saw it, one raises it', async ({ alerts }) => {
    const raised = await Promise.all(Array.from({ length: 8 }, (_, at) => alerts.raise({ ...sample, at })))
    const [alert, ...others] = raised.filter((each) => each !== null)
    assert.deepEqual(others, [])
    assert.match(alert?.id ?? '', /^alr_[0-9A-Za-z]{22}$/)
    assert.deepEqual((await alerts.list('org_a')).items, [alert])
  })

  check('another limit, subject, period, threshold or organization is another alert', async ({ alerts }) => {
    const others: Partial<LimitAlertSighting>[] = [
      {},
      { limitId: 'ltm_b' },
      { subject: 'research|bob' },
      { periodStartsAt: sample.periodStartsAt + 1 },
      { threshold: 0.5 },
      { organizationId: 'org_b' },
    ]
    for (const other of others) assert.notEqual(await alerts.raise({ ...sample, ...other }), null)
    for (const other of others) assert.equal(await alerts.raise({ ...sample, ...other, used: 1 }), null)
  })

  check('what was raised is listed as it was, for its organization alone', async ({ alerts }) => {
    const long = { ...sample, subject: 'é'.repeat(1000), per: [] }
    const alert = await alerts.raise(long)
    assert.deepEqual((await alerts.list('org_a')).items, [{ ...long, id: alert?.id }])
    assert.deepEqual((await alerts.list('org_b')).items, [])
  })

  check('pages begin with the newest and hold each alert once', async ({ alerts }) => {
    // Two of a time, so that pages part such.
    for (let index = 0; index < 7; index += 1)
      await alerts.raise({ ...sample, subject: String(index), at: Math.floor(index / 2) })
    const seen: string[] = []
    const times: number[] = []
    let after: string | undefined
    do {
      const page = await alerts.list('org_a', { limit: 3, ...(after === undefined ? {} : { after }) })
      seen.push(...page.items.map(({ subject }) => subject))
      times.push(...page.items.map(({ at }) => at))
      after = page.next ?? undefined
    } while (after !== undefined)
    assert.deepEqual(times, [3, 2, 2, 1, 1, 0, 0])
    assert.equal(new Set(seen).size, 7)
    await rejectsWith(alerts.list('org_a', { after: 'made-up' }), 'admin.validation')
    await rejectsWith(alerts.list('org_a', { limit: 0 }), 'admin.validation')
  })

  check('old ones are removed in slices', async ({ alerts }) => {
    for (let at = 0; at < 5; at += 1) await alerts.raise({ ...sample, subject: String(at), at })
    assert.deepEqual(
      [await alerts.prune(4, 3), await alerts.prune(4, 3), await alerts.prune(4, 3)],
      [3, 1, 0],
    )
    assert.deepEqual(
      (await alerts.list('org_a')).items.map(({ at }) => at),
      [4],
    )
  })

  check('they go with their organization, and none is raised after it', async ({ alerts, store }) => {
    await alerts.raise(sample)
    await store.organizations.remove('org_a')
    assert.deepEqual((await alerts.list('org_a')).items, [])
    assert.equal(await alerts.raise({ ...sample, subject: 'other' }), null)
  })
}
