/** The store's contract: token issuers, and revocations of their tokens. */
import assert from 'node:assert/strict'
import type { TokenIssuer, TokenRevocation, TokenTerms } from '../domain/token-issuer.ts'
import { type OpenStore, rejectsWith, start, stored, storeTest } from './store.contract-samples.ts'

const terms: TokenTerms = {
  verification: 'jwks',
  jwksUri: null,
  introspection: null,
  audiences: ['gateway', 'other'],
  algorithms: ['ES256'],
  types: ['at+jwt'],
  clockSkewSeconds: 30,
  maxLifetimeSeconds: 3600,
  requiredClaims: { tid: ['a'] },
  application: { slug: null, claim: 'azp', values: { client: 'main' } },
  teamClaim: null,
  userClaim: 'email',
  scopes: [{ scope: 'use', models: ['*'], operations: ['*'] }],
  dpop: { mode: 'off', nonce: false, origins: [] },
  allowPrivateNetwork: false,
}

function sample(organizationId: string, id: string, own: Partial<TokenIssuer> = {}): TokenIssuer {
  return {
    ...stored(id),
    organizationId,
    name: id,
    issuer: `https://${id}.example`,
    enabled: true,
    terms,
    credential: { kind: 'none' },
    ...own,
  }
}

function revocation(organizationId: string, id: string, at = start): TokenRevocation {
  return {
    id,
    createdAt: at,
    organizationId,
    issuerId: 'tis_1',
    kind: 'subject',
    value: 'client-1',
    issuedUntil: at,
    expiresAt: at + 1000,
  }
}

export function testTokens(open: OpenStore): void {
  const check = storeTest(open)

  check('a token issuer comes back as it was stored, and is part of the configuration', async (store) => {
    const issuer = sample('org_a', 'tis_1')
    const { configuration } = await store.versions()
    await store.tokenIssuers.create(issuer)
    assert.deepEqual(await store.tokenIssuers.find('org_a', 'tis_1'), issuer)
    assert.equal(await store.tokenIssuers.get('org_b', 'tis_1'), null)
    assert.deepEqual((await store.loadConfiguration()).tokenIssuers, [issuer])
    assert.ok((await store.versions()).configuration > configuration)
  })

  check(
    'no two issuers claim the same iss with the same audience, in whatever organization',
    async (store) => {
      const issuer = 'https://login.example'
      await store.tokenIssuers.create(sample('org_a', 'tis_1', { issuer }))
      const elsewhere = { ...terms, audiences: ['third'] }
      await rejectsWith(store.tokenIssuers.create(sample('org_b', 'tis_2', { issuer })), 'admin.conflict')
      assert.equal(await store.tokenIssuers.get('org_b', 'tis_2'), null)
      await store.tokenIssuers.create(sample('org_b', 'tis_3', { issuer, terms: elsewhere }))
      const change = { patch: { terms: { ...terms, audiences: ['third', 'other'] } }, now: start + 1 }
      await rejectsWith(store.tokenIssuers.update('org_b', 'tis_3', change), 'admin.conflict')
      await store.tokenIssuers.remove('org_a', 'tis_1')
      await store.tokenIssuers.update('org_b', 'tis_3', change)
      const opaque = { endpoint: 'https://a.example', clientId: 'g', tokenPrefix: 'op_', cacheSeconds: 60 }
      const introspected = { ...terms, verification: 'introspection', introspection: opaque } as const
      await store.tokenIssuers.create(sample('org_a', 'tis_4', { terms: introspected }))
      await rejectsWith(
        store.tokenIssuers.create(sample('org_b', 'tis_5', { terms: introspected })),
        'admin.conflict',
      )
    },
  )

  check(
    'revocations are told in order of change, end by themselves, and go with their issuer',
    async (store) => {
      await store.tokenIssuers.create(sample('org_a', 'tis_1'))
      const { current, configuration } = await store.versions()
      const first = revocation('org_a', 'trv_1')
      const second = revocation('org_a', 'trv_2', start + 1)
      await store.tokenRevocations.create(first)
      const { current: between, configuration: after } = await store.versions()
      assert.equal(after, configuration, 'no snapshot is compiled for it')
      await store.tokenRevocations.create(second)
      assert.deepEqual(await store.tokenRevocationsSince(current), [first, second])
      assert.deepEqual(await store.tokenRevocationsSince(between), [second])
      assert.deepEqual((await store.tokenRevocations.list('org_a', { issuerId: 'tis_1' })).items, [
        first,
        second,
      ])
      assert.deepEqual((await store.tokenRevocations.list('org_b')).items, [])
      await rejectsWith(store.tokenRevocations.create(revocation('org_b', 'trv_3')), 'admin.not-found')
      const third = revocation('org_a', 'trv_4', start + 5000)
      await store.tokenRevocations.create(third)
      assert.deepEqual((await store.tokenRevocations.list('org_a')).items, [third])
      await store.tokenIssuers.remove('org_a', 'tis_1')
      assert.deepEqual(await store.tokenRevocationsSince(0), [])
    },
  )
}
