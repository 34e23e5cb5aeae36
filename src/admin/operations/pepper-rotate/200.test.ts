import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'new secrets stand under the new pepper, old ones go on working, and it is noted who asked',
  withAdmin(async (admin) => {
    const before = await admin.token(['read'])
    const { body } = await admin.call('pepper-rotate')
    assert.deepEqual(body, { current: 2, kept: [1], dropped: [] })
    const note = admin.logged.find(({ code }) => code === 'secrets.pepper-rotated')
    assert.match(String(note?.['message']), /^admin token [0-9A-Za-z]+ made pepper 2/)

    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'new' } })).body
    const secrets = await admin.deps.store.keys.secrets(key.organizationId, key.id)
    assert.deepEqual(
      secrets.map(({ pepperVersion }) => pepperVersion),
      [2],
    )
    for (const token of [before, await admin.token(['read'])]) {
      assert.equal((await admin.call('organization-list', { token })).status, 200)
    }
  }),
)
