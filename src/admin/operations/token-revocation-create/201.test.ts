import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

const issuer = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }

test(
  'a revocation outlives every token that it can mean; its subject is not in the audit log in clear',
  withAdmin(async (admin) => {
    await admin.call('token-issuer-create', { body: { ...issuer, maxLifetimeSeconds: 3600 } })
    const params = { id: 'x' }
    const body = { kind: 'subject', value: 'ann@example.com' }
    const made = (await admin.call('token-revocation-create', { params, body })).body
    assert.ok(made.expiresAt >= made.issuedUntil + 3_660_000)
    const listed = (await admin.call('token-revocation-list', { params })).body.items
    assert.deepEqual(listed, [made])
    const results = admin.recorded.filter(({ event }) => event.action === 'token-revocation.create')
    assert.equal(results.length, 2)
    for (const { details } of results) {
      assert.doesNotMatch(JSON.stringify({ ...details, personal: null }), /ann@example/)
    }
    assert.deepEqual(results[1]?.details.personal?.fields, { value: 'ann@example.com' })
  }),
)

test(
  'a revocation names what it revokes',
  withAdmin(async (admin) => {
    await admin.call('token-issuer-create', { body: issuer })
    for (const body of [{ kind: 'token' }, { kind: 'issuer', value: 'x' }]) {
      const expected = { status: 400, code: 'request.invalid-field', param: 'value' }
      await admin.refuses('token-revocation-create', { params: { id: 'x' }, body }, expected)
    }
  }),
)
