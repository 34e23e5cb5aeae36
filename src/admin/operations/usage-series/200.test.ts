import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordUsage } from '../../harness/record-usage.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'one row per interval that had requests, by time',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    await recordUsage(admin, organization)
    const { rows } = (await admin.call('usage-series', { query: { interval: 'hour', groupBy: 'operation' } }))
      .body
    assert.deepEqual(
      rows.map((row) => [new Date(row.time).toISOString(), row.requests]),
      [
        ['2026-11-01T09:00:00.000Z', 1],
        ['2026-11-01T11:00:00.000Z', 3],
      ],
    )
  }),
)
