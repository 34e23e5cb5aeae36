/**
 * What happened to other gateways with access tokens, tried here: verdicts cached by the beginning of a token, the
 * algorithm taken from the token, keys that the token brings, keys that rotate, verdicts that outlive a revocation.
 */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RevocationKind } from '../../src/domain/token-issuer.ts'
import { tokenRigForTests } from '../../src/gateway/harness/token-rig.ts'
import { makeTestKey } from '../fixtures/token-issuer/token-issuer.ts'

const tokens = await tokenRigForTests()
const { rig, issuer, configure, bearer, told } = tokens
const { line } = tokens

afterEach(() => {
  tokens.line = line
  rig.started.gateway.apply({ type: 'token-revocations', reset: true, add: [] })
})

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function revoke(kind: RevocationKind, value: string): void {
  const times = { issuedUntil: Date.now(), expiresAt: Date.now() + 60_000 }
  const add = [{ id: `r-${kind}`, issuerId: 'tis_a', kind, value, ...times }]
  rig.started.gateway.apply({ type: 'token-revocations', reset: false, add })
}

test('tokens that begin alike are told apart to the last character', async () => {
  configure({ userClaim: 'sub' })
  const good = await issuer.sign()
  assert.equal((await bearer(good)).status, 200)
  const last = good.at(-1) ?? ''
  for (const forged of [`${good.slice(0, -1)}${last === 'A' ? 'Q' : 'A'}`, good.slice(0, -1), `${good}A`]) {
    const answer = await bearer(forged)
    assert.equal(answer.status, 401, forged.slice(-4))
    assert.match(answer.faultCode, /^auth\.invalid-(?:token|key)$/)
  }
  const [header = '', payload = '', signature = ''] = good.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const raised = `${header}.${encode({ ...claims, sub: 'admin' })}.${signature}`
  assert.match((await bearer(raised)).message, /signature is wrong/)
  await bearer(await issuer.sign({ claims: { sub: 'one' } }))
  await bearer(await issuer.sign({ claims: { sub: 'two' } }))
  const users = rig.started.records.filter(({ status }) => status === 200).map(({ endUser }) => endUser)
  assert.deepEqual(users.slice(-2), ['one', 'two'])
})

test('the algorithm is never the choice of the token: none, HMAC with a public key, another asymmetric one', async () => {
  configure()
  await told({})
  const good = await issuer.sign()
  const [, payload = ''] = good.split('.')
  const { jwk } = issuer.keys[0] ?? assert.fail()
  const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const secrets = [String(pem), JSON.stringify(jwk), JSON.stringify({ keys: [jwk] }), '']
  for (const secret of secrets) {
    const signed = `${encode({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })}.${payload}`
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    assert.match((await bearer(`${signed}.${mac}`)).message, /algorithm is not taken/)
  }
  for (const alg of ['none', 'None', 'nOnE', 'NONE', '', null, ['ES256'], 'ES384', 'PS256', 'RS256']) {
    const head = encode({ alg, kid: 'k1', typ: 'at+jwt' })
    for (const end of ['', 'AAAA', good.split('.')[2]]) {
      assert.equal((await bearer(`${head}.${payload}.${end}`)).status, 401, String(alg))
    }
  }
})

test('keys that a token brings, or says where to find, are not looked at', async () => {
  configure()
  const thief = await makeTestKey('k1')
  let calls = 0
  const server = createServer((_req, res) => {
    calls += 1
    res.end(JSON.stringify({ keys: [thief.jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  for (const header of [{ jwk: thief.jwk }, { jku: url }, { x5u: url }, { jku: url, kid: 'elsewhere' }]) {
    const [status] = await told({ key: thief, header })
    assert.equal(status, 401, Object.keys(header)[0])
  }
  assert.equal(calls, 0)
  server.close()
})

test('keys that rotate in mid-load, without notice, fail no request', async () => {
  tokens.forget()
  configure()
  const failures: string[] = []
  let isRunning = true
  let current = issuer.keys[0] ?? assert.fail()
  const load = Array.from({ length: 4 }, async () => {
    for (; isRunning; await sleep(1)) {
      const [status, code, message] = await told({ key: current })
      if (status !== 200) failures.push(`${code} ${message}`)
    }
  })
  for (const [kid, alg] of [
    ['k2', 'RS256'],
    ['k3', 'ES256'],
  ] as const) {
    await sleep(100)
    // 30 s have passed for the control plane, as between two rotations of any issuer.
    tokens.aheadMs += 31_000
    const next = await makeTestKey(kid, alg)
    issuer.keys = [next, ...issuer.keys]
    current = next
  }
  await sleep(100)
  issuer.keys = issuer.keys.slice(0, 1)
  isRunning = false
  await Promise.all(load)
  assert.deepEqual(failures, [])
})

test('a key that its issuer withdraws proves nothing from then on, whatever was found before', async () => {
  const [current = assert.fail()] = issuer.keys
  tokens.forget()
  configure()
  const token = await issuer.sign({ key: current })
  assert.equal((await bearer(token)).status, 200)
  issuer.keys = [await makeTestKey('k9')]
  tokens.aheadMs += 31_000
  await new Promise((resolve) => line?.askKeys('tis_a', resolve))
  assert.match((await bearer(token)).message, /does not publish/)
})

test('a verdict that was under way when its token was revoked is not kept', async () => {
  tokens.forget()
  configure()
  const held: (() => void)[] = []
  const real = line ?? assert.fail()
  tokens.line = { ...real, askKeys: (id, done) => held.push(() => real.askKeys(id, done)) }
  const token = await issuer.sign({ claims: { jti: 'late' } })
  rig.started.gateway.apply({ type: 'token-keys', keys: { issuerId: 'tis_a', keys: [], goodUntil: 0 } })
  const call = bearer(token)
  while (held.length === 0) await sleep(2)
  revoke('token', 'late')
  for (const go of held) go()
  assert.match((await call).message, /was revoked/)
  assert.match((await bearer(token)).message, /was revoked/)

  const introspection = {
    endpoint: `${issuer.url}/introspect`,
    clientId: 'g',
    tokenPrefix: '',
    cacheSeconds: 60,
  }
  configure({ verification: 'introspection', introspection })
  issuer.active.set('opaque', { sub: 'robot', iat: Math.floor(Date.now() / 1000) - 1 })
  const answers: (() => void)[] = []
  tokens.line = {
    ...real,
    introspect: (id, each, done) => real.introspect(id, each, (answer) => answers.push(() => done(answer))),
  }
  const opaque = bearer('opaque')
  while (answers.length === 0) await sleep(2)
  revoke('subject', 'robot')
  for (const go of answers) go()
  assert.match((await opaque).message, /was revoked/)
})

test('without the control plane a key that is not known is not taken for a forgery, and not taken', async () => {
  tokens.forget()
  configure()
  tokens.line = null
  const stranger = await makeTestKey('unseen')
  const answer = await bearer(await issuer.sign({ key: stranger }))
  assert.deepEqual([answer.status, answer.faultCode], [503, 'auth.unavailable'])
})
