import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApiKey, verifyApiKey } from '../../../identity/index.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'the old secret ends with the overlap, the new one stays, under the same key id',
  withAdmin(async (admin) => {
    const made = (await admin.call('key-create', { body: { application: 'shop', name: 'web' } })).body
    const params = { id: made.key.keyId }
    const turned = (await admin.call('key-rotate', { params, body: { overlapSeconds: 60 } })).body
    assert.equal(parseApiKey(turned.secret)?.keyId, made.key.keyId)
    assert.notEqual(turned.secret, made.secret)
    const { store, peppers } = admin.deps
    const secrets = await store.keys.secrets(made.key.organizationId, made.key.id)
    const opens = (text: string, after: number) =>
      verifyApiKey(text, { secrets }, { peppers: peppers().compiled, now: admin.clock.now() + after })
    assert.deepEqual([opens(made.secret, 59_999), opens(made.secret, 60_000)], [true, false])
    assert.deepEqual([opens(turned.secret, 0), opens(turned.secret, 600_000)], [true, true])
  }),
)
