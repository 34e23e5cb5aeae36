import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTestKey, type SignOptions } from '../../../test/fixtures/token-issuer/token-issuer.ts'
import type { RevocationSnapshot } from '../../domain/token-issuer.ts'
import { tokenRigForTests } from '../harness/token-rig.ts'

const tokens = await tokenRigForTests()
const { rig, issuer, configure, bearer, told } = tokens

const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset

test('a token of a trusted issuer opens the gateway, as its application and its user', async () => {
  configure({ userClaim: 'email' })
  const token = await issuer.sign({ claims: { email: 'ann@example.com' } })
  const chat = { model: 'gpt', messages: [{ role: 'user', content: 'hi' }], user: 'somebody-else' }
  for (let tries = 0; tries < 2; tries += 1) {
    const answer = await rig.call('/v1/chat/completions', {
      authorized: false,
      headers: { authorization: `Bearer ${token}` },
      body: chat,
    })
    assert.equal(answer.status, 200, answer.text)
  }
  const [first, second] = rig.started.records
  assert.deepEqual([first?.applicationId, first?.endUser], ['app_a', 'ann@example.com'])
  assert.match(first?.keyId ?? '', /^tok_[0-9a-f]{24}$/)
  assert.equal(second?.keyId, first?.keyId)
})

test('whatever is wrong with a token refuses it, and says what', async () => {
  configure({ requiredClaims: { tid: ['acme'], act: [] } })
  const good = { tid: 'acme', act: 'x' }
  const stranger = await makeTestKey('k1')
  const cases: readonly (readonly [SignOptions, RegExp])[] = [
    [{ claims: { ...good, iss: 'https://else.example' } }, /issuer or audience is not trusted/],
    [{ claims: { ...good, aud: 'https://else.example' } }, /issuer or audience is not trusted/],
    [{ claims: { ...good, exp: seconds(-10) } }, /has expired/],
    [{ claims: { ...good, nbf: seconds(60) } }, /not valid yet/],
    [{ claims: { ...good, iat: seconds(60) } }, /issued in the future/],
    [{ claims: { ...good, exp: seconds(100_000) } }, /lives too long/],
    [{ claims: { ...good, exp: 'soon' } }, /does not say when it ends/],
    [{ claims: { ...good, sub: 7 } }, /no subject/],
    [{ claims: { ...good, tid: 'other' } }, /claim tid has another value/],
    [{ claims: { tid: 'acme' } }, /no claim act/],
    [{ claims: { ...good, cnf: { 'x5t#S256': 'abc' } } }, /bound to its holder in a way/],
    [{ claims: { ...good, cnf: { jkt: 'abc' } } }, /bound to a key/],
    [{ claims: good, header: { typ: 'id+jwt' } }, /another type/],
    [{ claims: good, header: { kid: 'nobody' } }, /a key that its issuer does not publish/],
    [{ claims: good, key: stranger }, /signature is wrong/],
  ]
  for (const [options, reason] of cases) {
    const [status, code, message] = await told(options)
    assert.deepEqual([status, code], [401, 'auth.invalid-token'], message)
    assert.match(message, reason)
  }
  assert.equal((await told({ claims: good }))[0], 200)
})

test('a refusal carries the challenge of RFC 6750', async () => {
  configure({ scopes: [{ scope: 'llm.use', models: ['*'], operations: ['*'] }] })
  const expired = await bearer(await issuer.sign({ claims: { exp: seconds(-100) } }))
  assert.equal(
    expired.headers['www-authenticate'],
    'Bearer realm="gatewright", error="invalid_token", error_description="it has expired"',
  )
  const poor = await bearer(await issuer.sign({ claims: { scope: 'openid' } }))
  assert.deepEqual([poor.status, poor.faultCode], [403, 'auth.insufficient-scope'])
  assert.equal(
    poor.headers['www-authenticate'],
    'Bearer realm="gatewright", error="insufficient_scope", scope="llm.use"',
  )
  const none = await rig.call('/v1/models', { authorized: false })
  assert.equal(none.headers['www-authenticate'], 'Bearer realm="gatewright"')
})

test('scopes bound the models and operations, in each dialect of errors', async () => {
  configure({ scopes: [{ scope: 'embed', models: ['other'], operations: ['embeddings'] }] })
  const headers = { authorization: `Bearer ${await issuer.sign({ claims: { scp: ['embed'] } })}` }
  const body = { model: 'gpt', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
  for (const path of ['/v1/chat/completions', '/v1/messages']) {
    const answer = await rig.call(path, { authorized: false, headers, body })
    assert.deepEqual([answer.status, answer.faultCode], [403, 'access.operation-denied'], path)
  }
})

test('a claim may name the application; a token that names none here is told so', async () => {
  configure({ application: { slug: null, claim: 'ctx.app', values: { seven: 'main' } } })
  assert.equal((await told({ claims: { ctx: { app: 'seven' } } }))[0], 200)
  for (const claims of [{ ctx: { app: 'main' } }, { ctx: { app: '__proto__' } }, {}]) {
    assert.deepEqual((await told({ claims })).slice(0, 2), [403, 'auth.token-without-application'])
  }
})

test('revocation by token, subject and issuer holds from the next request on, and ends a stream', async () => {
  configure()
  let at = 0
  const revoke = (kind: RevocationSnapshot['kind'], value: string, issuedUntil = Date.now()): void => {
    at += 1
    const revocation = {
      id: `r${at}`,
      issuerId: 'tis_a',
      kind,
      value,
      issuedUntil,
      expiresAt: Date.now() + 60_000,
    }
    rig.started.gateway.apply({ type: 'token-revocations', reset: false, add: [revocation] })
  }
  const one = await issuer.sign({ claims: { jti: 'one' } })
  const other = await issuer.sign({ claims: { jti: 'other' } })
  assert.equal((await bearer(one)).status, 200)
  revoke('token', 'one')
  assert.match((await bearer(one)).message, /was revoked/)
  assert.equal((await bearer(other)).status, 200)

  const stream = rig.call('/v1/chat/completions', {
    authorized: false,
    headers: { authorization: `Bearer ${other}` },
    body: {
      model: 'gpt',
      stream: true,
      messages: [{ role: 'user', content: 'sandbox: chunk-delay=20ms\nsandbox: tokens=1000' }],
    },
  })
  await rig.upstream.until(() => rig.upstream.requests.length > 0)
  revoke('subject', 'client-1')
  assert.ok((await stream).text.includes('auth.token-revoked'))
  assert.match((await bearer(other)).message, /was revoked/)
  assert.equal((await told({ claims: { sub: 'client-2' } }))[0], 200)
  assert.equal((await told({ claims: { iat: seconds(3) } }))[0], 200, 'a token issued later works')
  revoke('issuer', '')
  assert.match((await told({ claims: { sub: 'client-2', iat: seconds(-1) } }))[2], /was revoked/)
  rig.started.gateway.apply({ type: 'token-revocations', reset: true, add: [] })
})

test('a row that changes holds for tokens that were found good before; a row that goes ends their exchanges', async () => {
  configure()
  const token = await issuer.sign()
  assert.equal((await bearer(token)).status, 200)
  configure({ requiredClaims: { tid: [] } })
  assert.match((await bearer(token)).message, /no claim tid/)
  configure()
  const stream = rig.call('/v1/chat/completions', {
    authorized: false,
    headers: { authorization: `Bearer ${token}` },
    body: {
      model: 'gpt',
      stream: true,
      messages: [{ role: 'user', content: 'sandbox: chunk-delay=20ms\nsandbox: tokens=1000' }],
    },
  })
  await rig.upstream.until(() => rig.upstream.requests.length > 0)
  tokens.forget()
  assert.ok((await stream).text.includes('auth.token-revoked'))
  assert.equal((await bearer(token)).faultCode, 'auth.invalid-key')
})
