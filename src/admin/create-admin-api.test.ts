import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from './harness/with-admin.ts'
import { apiHeaders } from './security-headers.ts'

const url = '/api/v1/organizations'

test(
  'every answer carries the security headers and a request id, and none grants another origin anything',
  withAdmin(async ({ app, admin }) => {
    const authorization = `Bearer ${admin}`
    const origin = 'https://evil.example'
    const replies = await Promise.all([
      app.inject({ url, headers: { authorization, origin } }),
      app.inject({ url, headers: { origin } }),
      app.inject({ url: '/nowhere', headers: { origin } }),
      app.inject({ url: '/', headers: { origin } }),
      app.inject({ url: '/setup', headers: { origin } }),
      app.inject({ url: '/api/v1/openapi.json' }),
      app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'POST' } }),
    ])
    assert.deepEqual(
      replies.map((reply) => reply.statusCode),
      [200, 401, 404, 200, 200, 200, 404],
    )
    assert.ok(replies[2]?.body.includes('"code":"request.not-found"'))
    for (const { headers } of replies) {
      for (const [name, value] of Object.entries(apiHeaders)) {
        if (name !== 'content-security-policy') assert.equal(headers[name], value)
      }
      assert.match(String(headers['content-security-policy']), /^default-src 'none'/)
      assert.match(String(headers['x-request-id']), /^req_/)
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith('access-control')),
        [],
      )
    }
  }),
)

test(
  'what an unforeseen error says reaches neither the caller nor the log',
  withAdmin(async (admin) => {
    const secret = 'sk-leaked-by-a-driver'
    const store = admin.deps.store as { organizations: object }
    store.organizations = {
      list() {
        throw new Error(`cannot connect with ${secret}`)
      },
    }
    const reply = await admin.app.inject({ url, headers: { authorization: `Bearer ${admin.admin}` } })
    assert.equal(reply.statusCode, 500)
    const { error } = reply.json<{ error: { code: string; request_id: string } }>()
    assert.equal(error.code, 'internal.unexpected')
    assert.equal(error.request_id, reply.headers['x-request-id'])
    assert.ok(!reply.body.includes(secret))
    assert.equal(admin.logged[0]?.['requestId'], error.request_id)
  }),
)

interface Refused {
  readonly name: string
  readonly type?: string
  readonly payload: string
  readonly code: string
}

const refusedBodies: readonly Refused[] = [
  { name: 'broken JSON', payload: '{"slug":', code: 'request.malformed-json' },
  { name: 'nothing', payload: '', code: 'request.malformed-json' },
  { name: 'text', type: 'text/plain', payload: '{"slug":"x"}', code: 'request.unsupported-content-type' },
  {
    name: 'a form',
    type: 'application/x-www-form-urlencoded',
    payload: 'slug=x',
    code: 'request.unsupported-content-type',
  },
  { name: 'a prototype', payload: '{"slug":"x","__proto__":{"admin":true}}', code: 'request.malformed-json' },
  {
    name: 'a constructor',
    payload: '{"slug":"x","constructor":{"prototype":{}}}',
    code: 'request.malformed-json',
  },
  {
    name: 'too much',
    payload: JSON.stringify({ slug: 'x', name: 'a'.repeat(2_100_000) }),
    code: 'request.body-too-large',
  },
  { name: 'an array', payload: '[]', code: 'request.invalid-field' },
]

test(
  'bodies that are no small JSON object of known fields are refused, and change nothing',
  withAdmin(async ({ app, admin, call }) => {
    for (const { name, type = 'application/json', payload, code } of refusedBodies) {
      const headers = { authorization: `Bearer ${admin}`, 'content-type': type }
      const reply = await app.inject({ method: 'POST', url, headers, payload })
      assert.equal(reply.json<{ error: { code: string } }>().error.code, code, name)
    }
    assert.equal((await call('organization-list')).body.items.length, 2)
  }),
)

test(
  "a stranger's body is not read: without a token, broken JSON is 401, not 400",
  withAdmin(async ({ app }) => {
    const headers = { 'content-type': 'application/json' }
    const reply = await app.inject({ method: 'POST', url, headers, payload: '{"slug":' })
    assert.equal(reply.statusCode, 401)
    assert.match(String(reply.headers['www-authenticate']), /^Bearer/)
  }),
)

test(
  'the token stands in the Authorization header alone, once, under its scheme',
  withAdmin(async ({ app, admin }) => {
    const attempts = [
      { authorization: admin },
      { authorization: `Basic ${admin}` },
      { authorization: `Bearer ${admin} ${admin}` },
      { authorization: `Bearer  ${admin}` },
      { authorization: `Bearer ${'a'.repeat(5000)}` },
      { 'x-api-key': admin },
      { cookie: `token=${admin}` },
    ]
    for (const headers of attempts) {
      const reply = await app.inject({ url: `${url}?token=${admin}`, headers })
      assert.equal(reply.statusCode, 401, JSON.stringify(headers))
      assert.ok(!reply.body.includes(admin))
    }
  }),
)

test(
  'the status page tells a stranger no slug, no provider, no refused configuration, no secret',
  withAdmin(async ({ app }) => {
    const { body } = await app.inject({ url: '/' })
    for (const hidden of ['acme', 'globex', 'shop', 'sk-very-secret', 'api.openai.com']) {
      assert.ok(!body.includes(hidden), hidden)
    }
  }),
)

test(
  'each answer counts under its operation and status, denied ones too; what a caller asks for becomes no label',
  withAdmin(async ({ app, admin, token, answered }) => {
    const before = answered.length
    const ask = (path: string, text: string) =>
      app.inject({ url: path, headers: { authorization: `Bearer ${text}` } })
    await ask(url, admin)
    await ask(url, 'nothing')
    await ask('/api/v1/pepper/secret-7731', admin)
    await ask(`${url}/acme/applications`, await token(['write'], 'globex'))
    assert.deepEqual(answered.slice(before), [
      ['organization-list', 200],
      ['organization-list', 401],
      ['none', 404],
      ['application-list', 403],
    ])
  }),
)
