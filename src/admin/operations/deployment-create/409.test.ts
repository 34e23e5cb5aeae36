import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug that is taken is refused, and no sealed credential is left behind',
  withAdmin(async (admin) => {
    const organization = (await admin.call('organization-get')).body.id
    const before = (await admin.deps.store.credentials.list(organization)).items.length
    const body = { slug: 'main', provider: 'openai', credential: { secrets: { apiKey: 'sk-2' } } }
    await admin.refuses('deployment-create', { body }, { status: 409, code: 'admin.conflict' })
    assert.equal((await admin.deps.store.credentials.list(organization)).items.length, before)
  }),
)
