import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitAlertSighting } from '../../../domain/limit-alert.ts'
import { startedAt } from '../../harness/start-admin.ts'
import { type TestAdmin, withAdmin } from '../../harness/with-admin.ts'

async function raise(admin: TestAdmin, own: Partial<LimitAlertSighting>): Promise<void> {
  const organization = await admin.deps.store.organizations.find('acme')
  const raised = await admin.storage.alerts.raise({
    organizationId: organization?.id ?? '',
    limitId: 'pln_a/budget',
    limitName: 'budget',
    meter: 'cost',
    per: ['user'],
    subject: 'ada',
    periodStartsAt: startedAt,
    threshold: 0.5,
    amount: 5_000_000,
    used: 2_600_000,
    at: startedAt,
    ...own,
  })
  assert.notEqual(raised, null)
}

test(
  'alerts are listed newest first, page by page, money in dollars',
  withAdmin(async (admin) => {
    await raise(admin, {})
    await raise(admin, { threshold: 0.9, used: 4_500_000, at: startedAt + 1 })
    const first = (await admin.call('limit-alert-list', { query: { limit: '1' } })).body
    const { id, organizationId, ...shown } = first.items[0] ?? { id: '', organizationId: '' }
    assert.match(`${id} ${organizationId}`, /^alr_\w{22} org_\w{22}$/)
    assert.deepEqual(shown, {
      limitId: 'pln_a/budget',
      limit: 'budget',
      meter: 'cost',
      per: ['user'],
      subject: 'ada',
      periodStartsAt: startedAt,
      threshold: 0.9,
      amount: 5,
      used: 4.5,
      at: startedAt + 1,
    })
    const second = (await admin.call('limit-alert-list', { query: { after: first.next ?? '' } })).body
    assert.deepEqual(
      second.items.map(({ threshold }) => threshold),
      [0.5],
    )
  }),
)

test(
  'alerts of another organization are not shown',
  withAdmin(async (admin) => {
    await raise(admin, {})
    const { body } = await admin.call('limit-alert-list', { params: { organization: 'globex' } })
    assert.deepEqual(body.items, [])
  }),
)
