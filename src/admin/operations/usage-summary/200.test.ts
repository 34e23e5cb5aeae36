import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordUsage } from '../../harness/record-usage.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'sums, cost and quantiles by group, of this organization alone',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    await recordUsage(admin, organization)
    const { rows, from, to } = (await admin.call('usage-summary', { query: { groupBy: 'model' } })).body
    assert.equal(to - from, 86_400_000)
    const [row, ...others] = rows
    assert.deepEqual(others, [])
    assert.deepEqual(row?.group, { model: 'gpt' })
    assert.deepEqual(
      [row?.requests, row?.inputTokens, row?.costUsd, row?.meanDurationMs],
      [4, 400, 0.0025, 75],
    )
    assert.deepEqual([row?.p50Ms, row?.p95Ms], [50, 250])
    const theirs = { params: { organization: 'globex' }, query: { groupBy: 'model' } }
    assert.deepEqual((await admin.call('usage-summary', theirs)).body.rows, [])
  }),
)

test(
  'filters narrow',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    await recordUsage(admin, organization)
    const requests = async (model: string) =>
      (await admin.call('usage-summary', { query: { model } })).body.rows.map((row) => row.requests)
    assert.deepEqual([await requests('gpt'), await requests('other')], [[4], []])
  }),
)
