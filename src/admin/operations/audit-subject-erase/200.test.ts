import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an erasure is done, and its entries do not name the person',
  withAdmin(async (admin) => {
    const body = { kind: 'end-user', id: 'ada@example.org', organization: 'acme' }
    assert.deepEqual((await admin.call('audit-subject-erase', { body })).body, { erased: true })
    const entries = admin.recorded.filter(({ event }) => event.action === 'audit-subject.erase')
    assert.equal(entries.length, 2)
    assert.ok(!JSON.stringify(entries).includes('ada'))
  }),
)

test(
  'an organization is named for end users, and for nobody else',
  withAdmin(async (admin) => {
    const refusal = { status: 400, code: 'admin.validation', param: 'organization' }
    await admin.refuses('audit-subject-erase', { body: { kind: 'end-user', id: 'ada' } }, refusal)
    const body = { kind: 'admin', id: 'x', organization: 'acme' }
    await admin.refuses('audit-subject-erase', { body }, refusal)
  }),
)
