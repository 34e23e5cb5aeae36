import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a slug is taken once in an organization, and free in another',
  withAdmin(async (admin) => {
    const body = { slug: 'shop' }
    await admin.refuses('application-create', { body }, { status: 409, code: 'admin.conflict' })
    assert.equal(
      (await admin.call('application-create', { params: { organization: 'globex' }, body })).status,
      201,
    )
  }),
)
