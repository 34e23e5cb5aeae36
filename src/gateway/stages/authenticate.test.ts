import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeySnapshot } from '../../domain/snapshot.ts'
import { compilePeppers, hashApiKey, mintApiKey } from '../../identity/index.ts'
import { rigForTests } from '../harness/gateway-rig.ts'

const rig = rigForTests(() => ({ config: { trustedProxies: ['127.0.0.1/32'] } }))

/** Give the gateway one more key, valid but for what `own` says; returns its text. */
function addKey(own: Partial<KeySnapshot>): string {
  const minted = mintApiKey('test')
  const { started } = rig
  const pepper = compilePeppers(started.config.peppers).get(1)
  assert.ok(pepper)
  const secrets = [{ hash: hashApiKey(minted.text, pepper), pepperVersion: 1, expiresAt: null }]
  const key = { ...started.key, keyId: minted.keyId, secrets, ...own }
  started.gateway.apply({ type: 'keys', version: 2, reset: false, upsert: [key], remove: [] })
  return minted.text
}

const call = (headers: Record<string, string>) => rig.call('/v1/models', { authorized: false, headers })

test('a key opens the gateway under each header that an official SDK uses, in any case of the scheme', async () => {
  const key = rig.started.apiKey
  for (const headers of [
    { authorization: `Bearer ${key}` },
    { authorization: `bearer ${key}` },
    { authorization: `BEARER  ${key}` },
    { 'x-api-key': key },
    { 'x-goog-api-key': key },
    { 'api-key': key },
  ]) {
    assert.equal((await call(headers)).status, 200, Object.keys(headers)[0])
  }
})

test('the same credential twice is one credential; two that differ are refused, whichever is good', async () => {
  const key = rig.started.apiKey
  assert.equal((await call({ authorization: `Bearer ${key}`, 'x-api-key': key })).status, 200)
  for (const headers of [
    { authorization: `Bearer ${key}`, 'x-api-key': 'another' },
    { authorization: 'Bearer another', 'x-api-key': key },
    { 'x-goog-api-key': key, 'api-key': addKey({}) },
  ]) {
    const answer = await call(headers)
    assert.deepEqual([answer.status, answer.faultCode], [401, 'auth.ambiguous-credentials'])
  }
})

test('no credential, an empty one and another scheme are missing credentials', async () => {
  for (const headers of [
    {},
    { authorization: '' },
    { authorization: 'Bearer ' },
    { authorization: 'Basic eDp5' },
  ]) {
    const answer = await call(headers)
    assert.deepEqual([answer.status, answer.faultCode], [401, 'auth.missing-credentials'])
  }
})

test('a key in the query opens nothing', async () => {
  const answer = await rig.call(`/v1/models?key=${rig.started.apiKey}`, { authorized: false })
  assert.equal(answer.status, 401)
})

test('junk, an unknown key and a wrong secret are told the same', async () => {
  const unknown = mintApiKey('test').text
  const good = rig.started.apiKey.split('_')
  const other = unknown.split('_')
  const mixed = [...good.slice(0, 3), ...other.slice(3)].join('_')
  const answers = await Promise.all(
    ['junk', unknown, mixed, `${rig.started.apiKey}x`].map((key) => call({ authorization: `Bearer ${key}` })),
  )
  const withoutId = (text: string): string => text.replace(/req_\w+/g, 'req')
  for (const answer of answers) {
    assert.equal(answer.status, 401)
    assert.equal(answer.faultCode, 'auth.invalid-key')
    assert.equal(withoutId(answer.text), withoutId(answers[0]?.text ?? ''))
  }
})

test('a key ends at its expiry, its secrets at theirs', async () => {
  const now = Date.now()
  const expired = await call({ 'x-api-key': addKey({ expiresAt: now - 1 }) })
  assert.deepEqual([expired.status, expired.faultCode], [401, 'auth.expired-key'])
  assert.equal((await call({ 'x-api-key': addKey({ expiresAt: now + 60_000 }) })).status, 200)

  const text = addKey({})
  const keyId = text.split('_')[2] ?? ''
  const [secret] = rig.started.key.secrets
  assert.ok(secret)
  const pepper = compilePeppers(rig.started.config.peppers).get(1)
  assert.ok(pepper)
  const secrets = [{ hash: hashApiKey(text, pepper), pepperVersion: 1, expiresAt: now - 1 }]
  rig.started.gateway.apply({
    type: 'keys',
    version: 3,
    reset: false,
    upsert: [{ ...rig.started.key, keyId, secrets }],
    remove: [],
  })
  assert.equal((await call({ 'x-api-key': text })).faultCode, 'auth.invalid-key')
})

test('a key that is bound to networks works from there only, IPv4 and IPv6', async () => {
  const key = addKey({ cidrs: ['10.1.0.0/16', '2001:db8:1::/48'] })
  const from = (address: string) => call({ 'x-api-key': key, 'x-forwarded-for': address })
  for (const address of ['10.1.2.3', '2001:db8:1:ffff::1', '::ffff:10.1.2.3']) {
    assert.equal((await from(address)).status, 200, address)
  }
  for (const address of ['10.2.0.1', '2001:db8:2::1', '::1']) {
    const answer = await from(address)
    assert.deepEqual([answer.status, answer.faultCode], [403, 'auth.address-not-allowed'], address)
  }
})

test('a revoked key opens nothing from the next request on', async () => {
  const key = addKey({})
  assert.equal((await call({ 'x-api-key': key })).status, 200)
  const remove = [key.split('_')[2] ?? '']
  rig.started.gateway.apply({ type: 'keys', version: 4, reset: false, upsert: [], remove })
  assert.equal((await call({ 'x-api-key': key })).faultCode, 'auth.invalid-key')
})
