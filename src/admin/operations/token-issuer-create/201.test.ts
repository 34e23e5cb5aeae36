import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new token issuer takes its defaults, shows its keys, and never its secret',
  withAdmin(async (admin) => {
    const body = {
      name: 'corporate',
      issuer: 'https://login.example.com',
      audiences: ['https://llm.example.com'],
      application: { slug: 'shop' },
    }
    const made = (await admin.call('token-issuer-create', { body })).body
    assert.deepEqual(
      [made.algorithms, made.types, made.clockSkewSeconds, made.dpop?.mode, made.enabled],
      [['RS256', 'PS256', 'ES256', 'EdDSA'], ['at+jwt', 'JWT'], 30, 'off', true],
    )
    assert.deepEqual(made.keys?.keyIds, ['k1'])
    const opaque = {
      name: 'opaque',
      issuer: 'https://other.example.com',
      audiences: [],
      application: { claim: 'client_id' },
      introspection: { endpoint: 'https://other.example.com/introspect', clientId: 'gateway' },
      credential: { secrets: { clientSecret: 'very-secret' } },
    }
    const answer = await admin.call('token-issuer-create', { body: opaque })
    assert.equal(answer.body.credential.kind, 'sealed')
    assert.doesNotMatch(answer.text, /very-secret/)
    assert.equal(answer.body.introspection?.cacheSeconds, 60)
    const listed = (await admin.call('token-issuer-list')).body.items
    assert.deepEqual(listed.map(({ name }) => name).sort(), ['corporate', 'opaque'])
  }),
)
