import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import { faults } from '../faults/catalogue.ts'
import { mintAdminToken } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import { auditKindOf } from './audit-actions.ts'
import { type Recorded, startAdmin } from './harness/start-admin.ts'
import { withAdmin } from './harness/with-admin.ts'
import { issueAdminToken } from './issue-admin-token.ts'
import { adminTable } from './register.ts'
import { issueSetupLink } from './setup-link.ts'

const named = (recorded: readonly Recorded[], action: string): readonly Recorded[] =>
  recorded.filter(({ event }) => event.action === action)

function imageOf(entry: Recorded | undefined, side: 'before' | 'after'): JsonObject {
  const image = entry?.details[side]
  assert.ok(isJsonObject(image), `there is an image ${side}`)
  return image
}

test('every operation that is no plain reading is recorded', () => {
  const unrecorded = adminTable.filter((row) => auditKindOf(row) === 'none')
  assert.ok(unrecorded.every(({ method }) => method === 'GET'))
  for (const name of ['content-get', 'usage-export', 'usage-records', 'config-export']) {
    assert.ok(!unrecorded.some((row) => row.name === name), name)
  }
})

test(
  'a change has its intent before it, and its result with the object before and after',
  withAdmin(async (admin) => {
    const made = (await admin.call('key-create', { body: { application: 'shop', name: 'one' } })).body
    await admin.call('key-update', { params: { id: made.key.keyId }, body: { name: 'two' } })
    await admin.call('key-revoke', { params: { id: made.key.id } })
    const [intent, result, ...others] = named(admin.recorded, 'key.update')
    assert.equal(others.length, 0)
    assert.deepEqual(intent?.details, { phase: 'intent', fields: ['name'] })
    assert.equal(intent?.event.outcome, 'unknown')
    assert.equal(intent?.event.id, `${result?.event.id}.intent`)
    assert.equal(result?.event.outcome, 'success')
    assert.equal(result?.event.actor.kind, 'admin')
    assert.equal(result?.event.actor.address, '127.0.0.1')
    assert.equal(result?.event.organizationId, made.key.organizationId)
    assert.deepEqual(result?.event.resource, { kind: 'key', id: made.key.id })
    assert.equal(imageOf(result, 'before')['name'], 'one')
    assert.equal(imageOf(result, 'after')['name'], 'two')
    const revoked = named(admin.recorded, 'key.revoke').at(-1)
    assert.equal(imageOf(revoked, 'before')['state'], 'active')
    assert.equal(imageOf(revoked, 'after')['state'], 'revoked')
  }),
)

test(
  'a change that fails is recorded as that, with the reason',
  withAdmin(async (admin) => {
    await admin.call('organization-delete', { params: { organization: 'acme' } })
    await admin.call('route-delete', { params: { id: 'nope' } })
    const [, inUse] = named(admin.recorded, 'organization.delete')
    assert.equal(inUse?.event.outcome, 'failure')
    assert.equal(inUse?.event.reason, 'admin.in-use')
    assert.equal(imageOf(inUse, 'before')['slug'], 'acme')
    const [, missing] = named(admin.recorded, 'route.delete')
    assert.equal(missing?.event.reason, 'admin.not-found')
    assert.deepEqual(missing?.event.resource, { kind: 'route', id: 'nope' })
  }),
)

test(
  'no secret gets into an entry, whatever is done with it',
  withAdmin(async (admin) => {
    const credential = { secrets: { apiKey: 'sk-planted-one' } }
    const created = await admin.call('deployment-create', {
      body: { slug: 'second', provider: 'openai', credential },
    })
    assert.equal(created.status, 201)
    const changed = { credential: { secrets: { apiKey: 'sk-planted-two' } } }
    await admin.call('deployment-update', { params: { id: 'second' }, body: changed })
    await admin.call('deployment-test', { params: { id: 'second' } })
    const key = (await admin.call('key-create', { body: { application: 'shop', name: 'k' } })).body
    const rotated = (await admin.call('key-rotate', { params: { id: key.key.id }, body: {} })).body
    const token = (await admin.call('admin-token-create', { body: { name: 't', scopes: ['read'] } })).body
    const link = (await admin.call('setup-link-create')).text
    const { path } = await issueSetupLink(admin.deps)
    const setup = (await admin.call('setup-exchange', { token: null, body: { token: path.split('#')[1] } }))
      .body
    const document = 'organizations: [{ slug: doc, name: planted-document }]'
    await admin.call('config-apply', { body: { document } })
    const entries = JSON.stringify(admin.recorded)
    const secrets = [key.secret, rotated.secret, token.secret, setup.secret, admin.admin, path.split('#')[1]]
    assert.ok(secrets.every((secret) => typeof secret === 'string' && secret.length > 20))
    for (const secret of [...secrets, 'sk-planted', 'planted-document', /#([^"]+)/.exec(link)?.[1]]) {
      assert.ok(secret !== undefined && !entries.includes(secret), secret)
    }
    for (const action of ['deployment.create', 'key.rotate', 'admin-token.create', 'config.apply']) {
      assert.notEqual(named(admin.recorded, action).at(-1)?.details.after, undefined, action)
    }
  }),
)

test(
  'the name on an admin token is personal: it is parted from the image',
  withAdmin(async (admin) => {
    const { adminToken } = (
      await admin.call('admin-token-create', { body: { name: 'Ada Lovelace', scopes: ['read'] } })
    ).body
    const { details } = named(admin.recorded, 'admin-token.create').at(-1) ?? {}
    const { personal, ...rest } = details ?? {}
    assert.ok(!JSON.stringify(rest).includes('Ada'))
    assert.deepEqual(personal, {
      subject: { kind: 'admin', organizationId: '', id: adminToken.tokenId },
      fields: { name: 'Ada Lovelace' },
    })
  }),
)

test(
  'what shows more than configuration is recorded, refused or not, and holds none of what was shown',
  withAdmin(async (admin) => {
    await admin.call('usage-export', { query: { groupBy: 'model', format: 'csv' } })
    await admin.call('content-get', { params: { id: 'req_0' } })
    const [exported] = named(admin.recorded, 'usage.export')
    assert.equal(exported?.event.outcome, 'success')
    assert.deepEqual(exported?.details, {})
    const [read] = named(admin.recorded, 'content.get')
    assert.equal(read?.event.reason, 'admin.not-found')
    assert.deepEqual(read?.event.resource, { kind: 'content', id: 'req_0' })
    assert.equal(named(admin.recorded, 'organization.list').length, 0)
  }),
)

test(
  'a kept answer that is given out again, secret included, is recorded again',
  withAdmin(async (admin) => {
    const request = { body: { application: 'shop', name: 'k' }, headers: { 'idempotency-key': 'once' } }
    await admin.call('key-create', request)
    await admin.call('key-create', request)
    const reasons = named(admin.recorded, 'key.create').map(({ event }) => event.reason)
    assert.deepEqual(reasons, ['', '', 'idempotency.replay'])
  }),
)

test(
  'sign-ins are recorded: who came in once an hour and address, who was turned away within bounds',
  withAdmin(async (admin) => {
    await admin.call('status-get')
    await admin.call('status-get')
    await admin.call('status-get', { address: '192.0.2.9' })
    const came = () => named(admin.recorded, 'sign-in.accept').map(({ event }) => event.actor.address)
    assert.deepEqual(came(), ['127.0.0.1', '192.0.2.9'])
    admin.clock.advance(3_600_000)
    await admin.call('status-get')
    assert.deepEqual(came(), ['127.0.0.1', '192.0.2.9', '127.0.0.1'])
    const scoped = await admin.token(['read'])
    await admin.call('organization-create', { token: scoped, body: { slug: 'no' } })
    const [denied] = named(admin.recorded, 'access.refuse')
    assert.equal(denied?.event.stream, 'security')
    assert.deepEqual(denied?.event.resource, { kind: 'operation', id: 'organization-create' })
    await admin.call('status-get', { token: null })
    assert.equal(named(admin.recorded, 'sign-in.refuse').length, 0, 'no token is no attempt')
    assert.deepEqual(admin.denials, ['scope', 'token'], 'both count in metrics')
    for (let at = 0; at < 100; at += 1)
      await admin.call('status-get', { token: mintAdminToken().text, address: `10.1.0.${at}` })
    const refused = named(admin.recorded, 'sign-in.refuse')
    // One place of the minute went to the refused operation.
    assert.equal(refused.length, 59)
    assert.equal(refused[0]?.event.actor.address, '10.1.0.0')
    admin.clock.advance(60_000)
    await admin.call('status-get', { token: mintAdminToken().text, address: '10.2.0.1' })
    assert.deepEqual(named(admin.recorded, 'sign-in.refuse').at(-1)?.details, { repeats: 41 })
  }),
)

test(
  'a set-up link that is wrong is a sign-in that was refused, and costs one entry',
  withAdmin(async (admin) => {
    const before = admin.recorded.length
    await admin.call('setup-exchange', { token: null, body: { token: `gws_${'A'.repeat(43)}` } })
    assert.deepEqual(
      admin.recorded.slice(before).map(({ event }) => [event.action, event.reason]),
      [['sign-in.refuse', 'admin.setup-closed']],
    )
  }),
)

test('where the audit log takes nothing, nothing is changed and nothing is revealed; reading the state goes on', async (t) => {
  let isDown = false
  const admin = await startAdmin({
    audit: {
      async record() {
        if (isDown) throw new Fault(faults.auditUnavailable)
      },
      erase: async () => true,
      rewrap: async () => ({ rewrapped: 0, kept: 0 }),
    },
  })
  t.after(() => admin.stop())
  const { secret } = await issueAdminToken(admin.deps, {
    name: 'test',
    scopes: ['admin'],
    organizationId: null,
    expiresAt: null,
    managedBy: 'setup',
  })
  const call = (method: 'GET' | 'POST', url: string, payload?: object) =>
    admin.app.inject({
      method,
      url: `/api/v1${url}`,
      headers: { authorization: `Bearer ${secret}` },
      ...(payload === undefined ? {} : { payload }),
    })
  assert.equal((await call('POST', '/organizations', { slug: 'acme' })).statusCode, 201)
  isDown = true
  const refused = await call('POST', '/organizations', { slug: 'globex' })
  assert.equal(refused.statusCode, 503)
  assert.equal(refused.json<{ error: { code: string } }>().error.code, 'audit.unavailable')
  assert.equal(await admin.deps.store.organizations.find('globex'), null)
  const usage = await call('GET', '/organizations/acme/usage/export?groupBy=model&format=csv')
  assert.equal(usage.statusCode, 503)
  assert.equal((await call('GET', '/organizations')).statusCode, 200)
  isDown = false
  assert.equal((await call('POST', '/organizations', { slug: 'globex' })).statusCode, 201)
})
