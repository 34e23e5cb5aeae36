import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { adminScopes } from '../domain/entities.ts'
import { faults } from '../faults/catalogue.ts'
import { mintAdminToken, parseAdminToken } from '../identity/index.ts'
import { pathFor, type TestAdmin, withAdmin } from './harness/with-admin.ts'
import { type AdminRow, adminTable } from './register.ts'
import { fingerprintOf } from './secrets.ts'

const guarded = adminTable.filter((row) => row.scope !== 'public')

/** A request to every row that would be refused by authentication before anything else is looked at. */
async function eachRefused(
  admin: TestAdmin,
  token: string | null,
  expected: { status: number; code: string },
) {
  for (const row of guarded) {
    calls += 1
    // Each from elsewhere: one client may not fail so often.
    const address = `10.0.${calls >> 8}.${calls & 255}`
    await admin.refuses(row.name, { params: { id: 'anything' }, token, address }, expected)
  }
}
let calls = 0

const tooMany = { status: 429, code: 'admin.too-many-sign-ins' }
const unauthenticated = { status: 401, code: 'admin.unauthenticated' }

test(
  'no operation answers without a token',
  withAdmin((admin) => eachRefused(admin, null, unauthenticated)),
)

test(
  'no operation answers to a token that is well formed but unknown, altered, expired or revoked',
  withAdmin(async (admin) => {
    const short = { body: { name: 'short', scopes: ['admin'], expiresAt: admin.clock.now() + 1 } }
    const expired = (await admin.call('admin-token-create', short)).body.secret
    admin.clock.advance(2)
    const doomed = (await admin.call('admin-token-create', { body: { name: 'x', scopes: ['admin'] } })).body
    await admin.call('admin-token-revoke', { params: { id: doomed.adminToken.id } })
    const key = (await admin.call('key-create', { body: { application: 'shop', name: 'k' } })).body.secret
    for (const token of [
      expired,
      doomed.secret,
      key,
      `${admin.admin}x`,
      admin.admin.slice(0, -1),
      'gwa_',
      '',
    ]) {
      await eachRefused(admin, token, unauthenticated)
    }
  }),
)

test(
  'no operation answers to a client whose sign-ins have failed too often',
  withAdmin(async (admin) => {
    const from = { address: '192.0.2.1', token: mintAdminToken().text }
    for (let tries = 0; tries < 11; tries += 1) await admin.call('status-get', from)
    for (const row of guarded) await admin.refuses(row.name, { params: { id: 'anything' }, ...from }, tooMany)
  }),
)

function scopesWithout(row: AdminRow) {
  return adminScopes.filter((scope) => scope !== 'admin' && scope !== row.scope)
}

test(
  'no operation answers to a token that has every scope but the one it takes',
  withAdmin(async (admin) => {
    for (const row of guarded) {
      const token = await admin.token(scopesWithout(row))
      await admin.refuses(
        row.name,
        { params: { id: 'anything' }, token },
        { status: 403, code: 'access.scope-denied' },
      )
    }
  }),
)

const inOrganization = guarded.filter((row) => row.path.startsWith('/organizations/:organization'))
const ofInstallation = [
  'organization-create',
  'setup-link-create',
  'audit-subject-erase',
  'config-diff',
  'config-apply',
  'config-export',
  'secret-rewrap',
  'pepper-rotate',
]

/** A body that the schema of the row takes, so that the answer shows the decision about access alone. */
const bodies: Readonly<Record<string, object>> = {
  'application-create': { slug: 'a' },
  'product-create': { slug: 'a', operations: [], models: [] },
  'subscription-create': { application: 'shop', product: 'chat' },
  'plan-create': { slug: 'a' },
  'guard-create': { name: 'a', detector: 'secrets', action: 'flag' },
  'policy-create': { slug: 'a', cedar: 'permit (principal, action, resource);' },
  'policy-validate': { cedar: 'permit (principal, action, resource);' },
  'limit-create': { name: 'a', meter: 'requests', amount: 1, window: 'minute' },
  'top-up-create': { limit: 'a', amount: 1 },
  'deployment-create': { slug: 'a', provider: 'openai' },
  'route-create': { name: 'a', targets: [{ deployment: 'main' }] },
  'key-create': { application: 'shop', name: 'a' },
  'token-issuer-create': {
    name: 'a',
    issuer: 'https://a.example',
    audiences: ['a'],
    application: { slug: 'shop' },
  },
  'token-revocation-create': { kind: 'issuer' },
  'organization-create': { slug: 'initech' },
  'admin-token-create': { name: 'a', scopes: ['read'] },
  'audit-subject-erase': { kind: 'key', id: 'k' },
  'config-diff': { document: '' },
  'config-apply': { document: '' },
}
const queries: Readonly<Record<string, Record<string, string>>> = {
  'policy-explain': { operation: 'models.list' },
  'usage-series': { interval: 'hour' },
  'usage-export': { interval: 'hour', format: 'csv' },
  'usage-records': { format: 'csv' },
}

function requestOf(row: AdminRow, token: string) {
  const body: { readonly body?: object } =
    row.operation.body === undefined ? {} : { body: bodies[row.name] ?? {} }
  return { params: { id: 'main' }, token, ...body, query: queries[row.name] ?? {} }
}

test(
  "another organization's records are absent for a bound token, whatever its scopes",
  withAdmin(async (admin) => {
    const token = await admin.token(['admin'], 'globex')
    for (const row of inOrganization) {
      const answer = await admin.refuses(row.name, requestOf(row, token), {
        status: 404,
        code: 'admin.not-found',
      })
      assert.match(answer.body.error.message, /organization acme/)
    }
    const seen = await admin.call('organization-list', { token })
    assert.deepEqual(
      seen.body.items.map((item) => item.slug),
      ['globex'],
    )
  }),
)

test(
  'a bound token changes nothing that belongs to the whole installation',
  withAdmin(async (admin) => {
    const token = await admin.token(['admin'], 'globex')
    for (const row of guarded.filter((candidate) => ofInstallation.includes(candidate.name))) {
      await admin.refuses(row.name, requestOf(row, token), { status: 403, code: 'admin.organization-bound' })
    }
  }),
)

test('names, and methods with paths, are unique, and each operation lives in the folder of its name', () => {
  assert.equal(new Set(adminTable.map((row) => row.name)).size, adminTable.length)
  assert.equal(new Set(adminTable.map((row) => `${row.method} ${row.path}`)).size, adminTable.length)
  for (const { name } of adminTable) {
    assert.ok(existsSync(new URL(`./operations/${name}/operation.ts`, import.meta.url)), name)
  }
})

/** Statuses that are proven here, for all rows at once. */
const provenForAll = new Set([400, 401, 403, 404, 413, 415, 429])

test('every other status that an operation promises has a test in its folder', () => {
  const missing: string[] = []
  for (const row of adminTable) {
    const promised = row.operation.faults.map((name) => faults[name].status)
    for (const status of new Set([row.operation.success.status, ...promised])) {
      const file = `./operations/${row.name}/${status}.test.ts`
      if (!provenForAll.has(status) && !existsSync(new URL(file, import.meta.url))) missing.push(file)
    }
  }
  assert.deepEqual(missing, [])
})

test(
  'what is not there is 404: an organization, and a record by id, by name, or of another organization',
  withAdmin(async (admin) => {
    const absent = { status: 404, code: 'admin.not-found' }
    for (const row of inOrganization) {
      const request = requestOf(row, admin.admin)
      await admin.refuses(
        row.name,
        { ...request, params: { ...request.params, organization: 'nowhere' } },
        absent,
      )
    }
    for (const row of guarded.filter((candidate) => candidate.path.includes('/:id'))) {
      const unknown = row.name === 'admin-token-revoke' ? `adm_${'0'.repeat(22)}` : 'not-there'
      for (const organization of ['acme', 'globex']) {
        const request = { ...requestOf(row, admin.admin), params: { organization, id: unknown } }
        await admin.refuses(row.name, request, absent)
      }
    }
  }),
)

test(
  'fields and parameters that an operation does not name are refused by name',
  withAdmin(async (admin) => {
    for (const row of adminTable) {
      const request = requestOf(row, admin.admin)
      if (row.operation.body !== undefined) {
        const body = { ...request.body, admin: true }
        const refusal = { status: 400, code: 'request.invalid-field', param: 'admin' }
        await admin.refuses(row.name, { ...request, body }, refusal)
        await admin.refuses(
          row.name,
          { ...request, body: [] },
          { status: 400, code: 'request.invalid-field' },
        )
      }
      if (row.operation.query !== undefined) {
        const query = { ...request.query, admin: 'true' }
        const refusal = { status: 400, code: 'request.invalid-field', param: 'admin' }
        await admin.refuses(row.name, { ...request, query }, refusal)
      }
    }
  }),
)

test(
  'path parameters with control characters, spaces or beyond their bound are refused',
  withAdmin(async (admin) => {
    for (const row of guarded.filter((candidate) => candidate.path.includes('/:id'))) {
      for (const id of ['a b', 'a\u0000b', 'a'.repeat(300)]) {
        const refusal = { status: 400, code: 'request.invalid-field', param: 'id' }
        await admin.refuses(row.name, { ...requestOf(row, admin.admin), params: { id } }, refusal)
      }
    }
  }),
)

test(
  'every POST with a token refuses an idempotency key whose request runs, or was another one',
  withAdmin(async (admin) => {
    const { store, clock, peppers } = admin.deps
    const scope = parseAdminToken(admin.admin)?.tokenId ?? ''
    const now = clock.now()
    for (const row of guarded.filter(({ method }) => method === 'POST')) {
      const key = row.name
      const id = row.name === 'admin-token-revoke' ? `adm_${'0'.repeat(22)}` : 'main'
      const headers = { 'idempotency-key': key }
      const request = { ...requestOf(row, admin.admin), params: { id }, query: {}, headers }
      const text = JSON.stringify([row.name, pathFor(row, request), request.body ?? null])
      const claim = { scope, key, now, expiresAt: now + 1000 }
      const running = { ...claim, fingerprint: fingerprintOf(text, peppers()) }
      assert.equal((await store.idempotency.claim(running)).kind, 'claimed')
      await admin.refuses(row.name, request, { status: 409, code: 'idempotency.conflict' })
      await store.idempotency.abandon(scope, key)
      await store.idempotency.claim({ ...claim, fingerprint: 'of another request' })
      await admin.refuses(row.name, request, { status: 422, code: 'idempotency.mismatch' })
    }
  }),
)
