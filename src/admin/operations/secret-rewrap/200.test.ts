import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'what stands under the current root key stays, and it is noted who asked',
  withAdmin(async (admin) => {
    const { body } = await admin.call('secret-rewrap')
    assert.deepEqual(body, {
      credentials: { rewrapped: 0, kept: 1, unreadable: 0 },
      peppers: { rewrapped: 0, kept: 1 },
      auditKeys: { rewrapped: 0, kept: 3 },
    })
    const note = admin.logged.find(({ code }) => code === 'secrets.rewrapped')
    assert.match(String(note?.['message']), /^admin token [0-9A-Za-z]+ rewrapped 0 credentials/)
  }),
)
