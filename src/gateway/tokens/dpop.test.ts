import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  makeTestKey,
  type ProofOptions,
  signProof,
  type TestKey,
  thumbprintOfKey,
} from '../../../test/fixtures/token-issuer/token-issuer.ts'
import type { DpopTerms } from '../../domain/token-issuer.ts'
import { tokenRigForTests } from '../harness/token-rig.ts'

const { rig, issuer, configure } = await tokenRigForTests()
const origin = 'https://gateway.test'
const key = await makeTestKey('client')

function demand(own: Partial<DpopTerms> = {}): void {
  configure({ dpop: { mode: 'optional', nonce: false, origins: [origin], ...own } })
}

async function boundToken(of: TestKey = key): Promise<string> {
  return issuer.sign({ claims: { cnf: { jkt: await thumbprintOfKey(of) } } })
}

async function call(token: string, proof: string, scheme = 'DPoP') {
  const headers = { authorization: `${scheme} ${token}`, ...(proof === '' ? {} : { dpop: proof }) }
  return rig.call('/v1/models?limit=5', { authorized: false, headers })
}

const prove = (token: string, own: Partial<ProofOptions> = {}): Promise<string> =>
  signProof(key, { url: `${origin}/v1/models`, token, ...own })

test('a bound token opens the gateway with a proof of its key, once for each proof', async () => {
  demand()
  const token = await boundToken()
  for (const url of [`${origin}/v1/models`, 'https://GATEWAY.test:443/v1/models?x#y']) {
    const proof = await prove(token, { url })
    assert.equal((await call(token, proof)).status, 200)
    const again = await call(token, proof)
    assert.deepEqual([again.status, again.faultCode], [401, 'auth.invalid-dpop-proof'])
    assert.match(again.message, /was used before/)
  }
})

test('whatever a proof does not prove refuses the request', async () => {
  demand()
  const token = await boundToken()
  const thief = await makeTestKey('thief')
  const secret = { ...key.jwk, d: 'AAAA' }
  const at = Math.floor(Date.now() / 1000)
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /none, or more than one/],
    ['junk', /malformed/],
    [await signProof(thief, { url: `${origin}/v1/models`, token }), /another key/],
    [await prove(token, { method: 'POST' }), /another method/],
    [await prove(token, { url: 'https://else.example/v1/models' }), /another address/],
    [await prove(token, { url: `${origin}/v1/chat/completions` }), /another address/],
    [await prove('another token'), /another token/],
    [await prove(token, { claims: { iat: at - 120 } }), /not of now/],
    [await prove(token, { claims: { iat: at + 120 } }), /not of now/],
    [await prove(token, { claims: { jti: '' } }), /jti is malformed/],
    [await prove(token, { header: { typ: 'JWT' } }), /typ is not dpop/],
    [await prove(token, { header: { jwk: secret } }), /key is not taken/],
  ]
  for (const [proof, reason] of cases) {
    const answer = await call(token, proof)
    assert.deepEqual([answer.status, answer.faultCode], [401, 'auth.invalid-dpop-proof'], answer.message)
    assert.match(answer.message, reason)
    assert.match(
      String(answer.headers['www-authenticate']),
      /^DPoP .*error="invalid_dpop_proof".*algs="ES256 /,
    )
  }
  assert.equal((await call(token, await prove(token))).status, 200)
})

test('a bound token is no bearer token, and a token that is bound to nothing needs no proof unless all must be bound', async () => {
  demand()
  const token = await boundToken()
  assert.match((await call(token, '', 'Bearer')).message, /bound to a key/)
  const free = await issuer.sign()
  assert.equal((await call(free, '', 'Bearer')).status, 200)
  assert.match((await call(free, await prove(free))).message, /bound to no key/)
  demand({ mode: 'required' })
  const refused = await call(free, '', 'Bearer')
  assert.match(refused.message, /bound to no key/)
  assert.match(String(refused.headers['www-authenticate']), /^DPoP realm/)
})

test('where a nonce is demanded, the refusal brings one, and a proof with it is taken', async () => {
  demand({ nonce: true })
  const token = await boundToken()
  const first = await call(token, await prove(token))
  assert.deepEqual([first.status, first.faultCode], [401, 'auth.use-dpop-nonce'])
  assert.match(String(first.headers['www-authenticate']), /error="use_dpop_nonce"/)
  const nonce = String(first.headers['dpop-nonce'])
  assert.equal((await call(token, await prove(token, { claims: { nonce } }))).status, 200)
  const made = await call(token, await prove(token, { claims: { nonce: `${nonce.slice(1)}A` } }))
  assert.equal(made.faultCode, 'auth.use-dpop-nonce')
})

test('who calls without credentials learns that proofs are taken; an API key needs none and takes none', async () => {
  demand()
  const none = await rig.call('/v1/models', { authorized: false })
  assert.match(String(none.headers['www-authenticate']), /^Bearer realm="gatewright", DPoP algs=/)
  assert.equal((await call(rig.started.apiKey, '', 'Bearer')).status, 200)
  assert.equal((await call(rig.started.apiKey, '')).faultCode, 'auth.invalid-key')
})
