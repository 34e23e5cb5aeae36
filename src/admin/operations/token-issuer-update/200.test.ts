import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'what is left out stays; a secret does not follow to another endpoint',
  withAdmin(async (admin) => {
    const introspection = { endpoint: 'https://a.example/i', clientId: 'g' }
    const body = {
      name: 'x',
      issuer: 'https://a.example',
      audiences: ['a'],
      application: { slug: 'shop' },
      introspection,
      credential: { secrets: { clientSecret: 's' } },
    }
    const made = (await admin.call('token-issuer-create', { body })).body
    const secrets = async () => (await admin.deps.store.credentials.list(made.organizationId)).items.length
    const before = await secrets()
    const params = { id: 'x' }
    const changed = (await admin.call('token-issuer-update', { params, body: { enabled: false } })).body
    assert.deepEqual([changed.enabled, changed.audiences, changed.credential.kind], [false, ['a'], 'sealed'])
    const moved = { introspection: { ...introspection, endpoint: 'https://b.example/i' } }
    await admin.refuses(
      'token-issuer-update',
      { params, body: moved },
      { status: 400, code: 'admin.credential-needed' },
    )
    const given = { ...moved, credential: { secrets: { clientSecret: 't' } } }
    await admin.call('token-issuer-update', { params, body: given })
    await admin.call('token-issuer-delete', { params })
    assert.equal(await secrets(), before - 1, 'no secret is left behind')
  }),
)
