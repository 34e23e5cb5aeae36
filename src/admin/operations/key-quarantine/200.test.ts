import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a key is held with the scope `keys`; doing it again changes nothing; its rotation ends the old secret at once',
  withAdmin(async (admin) => {
    const { key } = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: key.keyId }
    const token = await admin.token(['keys'], 'acme')
    const held = (await admin.call('key-quarantine', { params, token })).body
    assert.deepEqual(
      [held.state, held.quarantine],
      ['quarantined', { at: admin.clock.now(), reason: 'by-hand' }],
    )
    admin.clock.advance(1000)
    assert.deepEqual((await admin.call('key-quarantine', { params })).body, held)
    const rotated = (await admin.call('key-rotate', { params, body: { overlapSeconds: 3600 } })).body
    assert.equal(rotated.key.state, 'quarantined')
    const secrets = await admin.deps.store.keys.secrets(key.organizationId, key.id)
    assert.deepEqual(
      secrets.map(({ version }) => version),
      [2],
    )
  }),
)
