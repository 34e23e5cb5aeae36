/**
 * Complaints about keys of other gateways (stale key written back after revocation, keys cached by prefix, guessing that
 * reaches the store or locks out the owner, rotation that loses limits), each tried on ours.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { KeySnapshot } from '../../src/domain/snapshot.ts'
import { rigForTests } from '../../src/gateway/harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'
import { mintApiKey, mintApiKeySecret } from '../../src/identity/index.ts'
import { until } from '../../src/ports/upstream-client.contract-calls.ts'

const rig = rigForTests((upstream) => ({
  deployments: [
    testDeployment({ id: 'up', providerId: 'openai', baseUrl: upstream.url, secrets: { apiKey: 'sk-x' } }),
  ],
  routes: [testRoute('gpt', ['up'], 'gpt-4o')],
  config: { trustedProxies: ['127.0.0.1/32'] },
  bounds: { wrongKeysPerMinute: 20 },
}))

let version = 10
function tellKeys(upsert: readonly KeySnapshot[], remove: readonly string[] = []): void {
  version += 1
  rig.started.gateway.apply({ type: 'keys', version, reset: false, upsert, remove })
}

function hashed(text: string, expiresAt: number | null = null) {
  const pepper = Buffer.from(rig.started.config.peppers['1'] ?? '', 'base64')
  return { hash: createHmac('sha256', pepper).update(text).digest('base64'), pepperVersion: 1, expiresAt }
}

function addKey(own: Partial<KeySnapshot> = {}): { readonly text: string; readonly key: KeySnapshot } {
  const { text, keyId } = mintApiKey('test')
  const key = { ...rig.started.key, keyId, secrets: [hashed(text)], ...own }
  tellKeys([key])
  return { text, key }
}

/** Status and fault of a request with this key from this address. */
async function ask(key: string, address = '192.0.2.1'): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': address }
  const { status, faultCode } = await rig.call('/v1/models', { authorized: false, headers })
  return `${status} ${faultCode}`.trim()
}

test('a request under way writes no stale key back: after its end the revoked key is still refused', async () => {
  const { text, key } = addKey()
  rig.upstream.failNext({ kind: 'delay', delayMs: 2000 })
  const underWay = rig.chat({}, { authorization: `Bearer ${text}` })
  await until(() => rig.upstream.requests.length === 1, 'the call has begun')
  tellKeys([], [key.keyId])
  assert.equal((await underWay).faultCode, 'auth.key-revoked')
  for (let at = 0; at < 3; at += 1) assert.equal(await ask(text), '401 auth.invalid-key')
})

test('a narrowed key is narrow from the next request on, however often it was proven before', async () => {
  const { text, key } = addKey()
  for (let at = 0; at < 3; at += 1) assert.equal(await ask(text), '200')
  tellKeys([{ ...key, cidrs: ['198.51.100.0/24'] }])
  assert.equal(await ask(text), '403 auth.address-not-allowed')
  assert.equal(await ask(text, '198.51.100.9'), '200')
})

test('what is remembered of a key is the whole text: each secret with the same beginning is refused', async () => {
  const { text, key } = addKey()
  assert.equal(await ask(text), '200')
  for (let at = 0; at < 10; at += 1)
    assert.equal(await ask(mintApiKeySecret('test', key.keyId), `192.0.2.${at + 10}`), '401 auth.invalid-key')
  assert.equal(await ask(text), '200')
})

test('a rotation keeps the key: the old secret ends with its overlap, both stand for the same key id', async () => {
  const { text, key } = addKey()
  const next = mintApiKeySecret('test', key.keyId)
  tellKeys([{ ...key, secrets: [hashed(next), hashed(text, Date.now() + 400)] }])
  assert.deepEqual([await ask(text), await ask(next)], ['200', '200'])
  await new Promise((resolve) => setTimeout(resolve, 450))
  assert.deepEqual([await ask(text), await ask(next)], ['401 auth.invalid-key', '200'])
})

test('a key in quarantine is refused by name, what it has under way ends, and it comes back with its release', async () => {
  const { text, key } = addKey()
  rig.upstream.failNext({ kind: 'delay', delayMs: 2000 })
  const underWay = rig.chat({}, { authorization: `Bearer ${text}` })
  await until(() => rig.upstream.requests.length === 1, 'the call has begun')
  tellKeys([{ ...key, isQuarantined: true }])
  assert.equal((await underWay).faultCode, 'auth.key-revoked')
  assert.equal(await ask(text), '403 auth.key-quarantined')
  // Only who holds the secret is told.
  assert.equal(await ask(mintApiKeySecret('test', key.keyId), '192.0.2.77'), '401 auth.invalid-key')
  tellKeys([key])
  assert.equal(await ask(text), '200')
})

test('a guessing run is locked out by its address before anything is reckoned; the owner is not', async () => {
  const { text, key } = addKey()
  const guesser = '203.0.113.5'
  const outcomes = new Map<string, number>()
  const note = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  for (let at = 0; at < 120; at += 1) {
    const guess = at % 2 === 0 ? mintApiKeySecret('test', key.keyId) : mintApiKey('test').text
    note(await ask(guess, guesser))
  }
  const reckoned = outcomes.get('401 auth.invalid-key') ?? 0
  // Twenty at once, and what came back in the meantime: one for each three seconds.
  assert.ok(reckoned >= 20 && reckoned <= 25, `${reckoned} were reckoned`)
  assert.equal(outcomes.get('429 auth.too-many-wrong-keys'), 120 - reckoned)
  // The owner, elsewhere: never proven on this worker before.
  assert.equal(await ask(text, '192.0.2.200'), '200')
  // Behind the same address as the guesser: proven lately, so it goes in.
  assert.equal(await ask(text, guesser), '200')
  // Another key that was not: it waits, and is let in elsewhere.
  const other = addKey().text
  assert.equal(await ask(other, guesser), '429 auth.too-many-wrong-keys')
  assert.equal(await ask(other, '192.0.2.201'), '200')
})

test('a program with an old key is refused for ever and locks out nobody at its address', async () => {
  const old = mintApiKey('test').text
  const address = '203.0.113.77'
  for (let at = 0; at < 60; at += 1) assert.equal(await ask(old, address), '401 auth.invalid-key')
  assert.equal(await ask(addKey().text, address), '200')
})

test('a key that was not rotated in time is refused where the policy says so, and good again with its rotation', async () => {
  const now = Date.now()
  const { started } = rig
  const [first] = started.config.applications
  assert.ok(first)
  const applications = started.config.applications.map((each) => ({ ...each, refusedKeyAgeMs: 1000 }))
  const { text, key } = addKey({ rotatedAt: now - 1001 })
  started.gateway.apply({ type: 'config', config: { ...started.config, applications } })
  assert.equal(await ask(text), '403 auth.key-rotation-overdue')
  tellKeys([{ ...key, rotatedAt: now + 60_000 }])
  assert.equal(await ask(text), '200')
  started.gateway.apply({ type: 'config', config: started.config })
})
