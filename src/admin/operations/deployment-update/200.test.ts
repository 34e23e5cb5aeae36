import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new credential takes the place of the old one, which is gone',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    const [old] = (await admin.deps.store.credentials.list(organization)).items
    const body = { baseUrl: 'https://eu.api.example/v1', credential: { secrets: { apiKey: 'sk-new' } } }
    const changed = (await admin.call('deployment-update', { params: { id: 'main' }, body })).body
    assert.equal(changed.baseUrl, 'https://eu.api.example/v1')
    const now = (await admin.deps.store.credentials.list(organization)).items
    assert.equal(now.length, 1)
    assert.notEqual(now[0]?.id, old?.id)
  }),
)

test(
  'without a credential in the request, the sealed one stays',
  withAdmin(async (admin) => {
    const body = { enabled: false, timeouts: { totalMs: 1000 } }
    const changed = (await admin.call('deployment-update', { params: { id: 'main' }, body })).body
    assert.deepEqual(
      [changed.enabled, changed.timeouts, changed.credential.kind],
      [false, { totalMs: 1000 }, 'sealed'],
    )
  }),
)
