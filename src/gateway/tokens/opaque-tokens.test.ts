import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testAudience } from '../../../test/fixtures/token-issuer/token-issuer.ts'
import type { IntrospectionTerms } from '../../domain/token-issuer.ts'
import { clientSecret, tokenRigForTests } from '../harness/token-rig.ts'

const tokens = await tokenRigForTests()
const { issuer, configure, bearer } = tokens
const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset
const calls = (): number => issuer.requests.get('/introspect') ?? 0

function introspect(own: Partial<IntrospectionTerms> = {}): void {
  tokens.forget()
  issuer.requests.clear()
  const introspection = {
    endpoint: `${issuer.url}/introspect`,
    clientId: 'gate way',
    tokenPrefix: 'op_',
    cacheSeconds: 60,
    ...own,
  }
  configure({ verification: 'introspection', introspection })
}

test('an opaque token is asked about once, whoever uses it meanwhile, and believed for a time', async () => {
  introspect()
  issuer.active.set('op_1', { sub: 'robot', scope: 'x', exp: seconds(300), aud: testAudience })
  const all = await Promise.all(Array.from({ length: 20 }, () => bearer('op_1')))
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]))
  assert.equal(calls(), 1)
  const [id = '', secret = ''] = Buffer.from(issuer.authorization.slice(6), 'base64').toString().split(':')
  assert.deepEqual([id, new URLSearchParams(`v=${secret}`).get('v')], ['gate+way', clientSecret])
})

test('a token that is not active, of another audience or another issuer is refused, and not asked about again at once', async () => {
  introspect()
  issuer.active.set('op_aud', { sub: 'robot', aud: 'https://else.example' })
  issuer.active.set('op_iss', { sub: 'robot', iss: 'https://else.example' })
  for (const token of ['op_none', 'op_aud', 'op_iss']) {
    for (let tries = 0; tries < 2; tries += 1) {
      const answer = await bearer(token)
      assert.deepEqual([answer.status, answer.faultCode], [401, 'auth.invalid-token'], token)
    }
  }
  assert.equal(calls(), 3)
})

test('a token without the prefix goes to nobody', async () => {
  introspect()
  assert.equal((await bearer('other-token')).status, 401)
  assert.equal(calls(), 0)
})

test('an issuer that does not answer proves nothing; what was believed stays so until it ends', async () => {
  introspect()
  issuer.active.set('op_2', { sub: 'robot', exp: seconds(300) })
  assert.equal((await bearer('op_2')).status, 200)
  issuer.failWith = 500
  assert.equal((await bearer('op_2')).status, 200)
  const answer = await bearer('op_3')
  assert.deepEqual([answer.status, answer.faultCode], [503, 'auth.unavailable'])
  assert.equal(answer.headers['retry-after'], '5')
  issuer.failWith = null
  assert.match(tokens.logged.join(), /its issuer answered 500/)
})

test('without the control plane an unknown opaque token is not taken', async () => {
  introspect()
  const { line } = tokens
  tokens.line = null
  assert.equal((await bearer('op_4')).status, 503)
  tokens.line = line
})

test('an answer is believed no longer than the row says', async () => {
  introspect({ cacheSeconds: 0 })
  issuer.active.set('op_5', { sub: 'robot', exp: seconds(300) })
  assert.equal((await bearer('op_5')).status, 200)
  issuer.active.delete('op_5')
  assert.equal((await bearer('op_5')).status, 401)
  assert.equal(calls(), 2)
})
