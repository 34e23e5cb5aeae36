import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleUsageRecord } from '../../harness/record-usage.ts'
import { startedAt } from '../../harness/start-admin.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'records of this organization and application in this time, each once, and no others',
  withAdmin(async (admin) => {
    const organizationId = (await admin.call('organization-get')).body.id
    const applicationId = (await admin.call('application-get', { params: { id: 'shop' } })).body.id
    const wanted = sampleUsageRecord({ id: 'r1', organizationId, applicationId, time: startedAt - 1000 })
    const lines = [
      wanted,
      wanted,
      sampleUsageRecord({ ...wanted, id: 'r2', applicationId: 'app_other' }),
      sampleUsageRecord({ ...wanted, id: 'r3', organizationId: 'org_other' }),
      sampleUsageRecord({ ...wanted, id: 'r4', time: startedAt - 90_000_000 }),
    ].map((record) => `${JSON.stringify(record)}\n`)
    await new Promise((resolve) => admin.deps.usageLog?.append(Buffer.from(lines.join('')), resolve))
    const { text, headers } = await admin.call('usage-records', {
      query: { format: 'jsonl', application: 'shop' },
    })
    assert.equal(headers['content-type'], 'application/x-ndjson')
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [wanted],
    )
    const csv = (await admin.call('usage-records', { query: { format: 'csv' } })).text.trimEnd().split('\r\n')
    assert.equal(csv.length, 3)
  }),
)
