import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordUsage } from '../../harness/record-usage.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'CSV quotes what needs it and disarms formulas',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    await recordUsage(admin, organization)
    const query = { format: 'csv', interval: 'day', groupBy: 'servedModel' }
    const { text, headers } = await admin.call('usage-export', { query })
    assert.equal(headers['content-type'], 'text/csv; charset=utf-8')
    assert.equal(headers['content-disposition'], 'attachment; filename="usage-acme.csv"')
    const [head, row, end] = text.split('\r\n')
    assert.match(head ?? '', /^time,servedModel,requests,errors,inputTokens/)
    assert.match(row ?? '', /^2026-11-01T00:00:00\.000Z,\x22'=gpt, \x22\x225\x22\x22\x22,4,0,400,/)
    assert.equal(end, '')
  }),
)

test(
  'JSON lines hold one object per interval',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    await recordUsage(admin, organization)
    const query = { format: 'jsonl', interval: 'hour' }
    const { text } = await admin.call('usage-export', { query })
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      rows.map((row) => [row.time, row.requests, row.costUsd]),
      [
        ['2026-11-01T09:00:00.000Z', 1, 0.001],
        ['2026-11-01T11:00:00.000Z', 3, 0.0015],
      ],
    )
  }),
)

test(
  'without an interval there is one row per group for the whole range',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    await recordUsage(admin, organization)
    const { text } = await admin.call('usage-export', { query: { format: 'jsonl', groupBy: 'servedModel' } })
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      rows.map((row) => [row.servedModel, row.requests]),
      [['=gpt, "5"', 4]],
    )
  }),
)
