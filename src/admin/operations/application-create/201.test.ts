import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the slug serves as name where none is given',
  withAdmin(async (admin) => {
    const { body } = await admin.call('application-create', { body: { slug: 'bot' } })
    assert.equal(body.name, 'bot')
    assert.deepEqual((await admin.call('application-get', { params: { id: 'bot' } })).body, body)
  }),
)
