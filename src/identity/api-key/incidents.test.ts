// Incidents of other gateways (field survey §3) that key handling must not repeat.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mintAdminToken, mintApiKey, parseAdminToken, parseApiKey } from './api-key-text.ts'
import { compilePeppers, hashApiKey, verifyApiKey } from './secret-hash.ts'

const injections = [
  `' OR 1=1 --`,
  `' UNION SELECT token FROM "LiteLLM_VerificationToken" --`,
  `gwr_live_' OR '1'='1`,
  `gwr_live_000000000000_'; DROP TABLE api_keys; --`,
  `"; select pg_sleep(10); --`,
  `${mintApiKey('live').text}' OR '1'='1`,
  `%27%20OR%201%3D1`,
]

/** A look-up that counts its calls: no text that is not base62 may ever reach one. */
function countingLookUp() {
  const asked: string[] = []
  return { asked, find: (keyId: string) => asked.push(keyId) }
}

test('incident 2 (CVE-2026-42208): SQL in the bearer token reaches no query', () => {
  const lookUp = countingLookUp()
  for (const text of [...injections, ...injections.map((text) => text.padEnd(72, ' '))]) {
    const key = parseApiKey(text)
    if (key !== null) lookUp.find(key.keyId)
    const token = parseAdminToken(text)
    if (token !== null) lookUp.find(token.tokenId)
  }
  assert.deepEqual(lookUp.asked, [])
  // What does reach a look-up is twelve base62 characters and nothing else.
  const parsed = parseApiKey(mintApiKey('live').text)
  assert.match(parsed?.keyId ?? '', /^[0-9A-Za-z]{12}$/)
  assert.match(parseAdminToken(mintAdminToken().text)?.tokenId ?? '', /^[0-9A-Za-z]{12}$/)
})

test('incident 3 (CVE-2026-35030): keys that share a long prefix never stand for each other', () => {
  const peppers = compilePeppers({ '1': Buffer.alloc(32, 7).toString('base64') })
  const pepper = peppers.get(1)
  assert.ok(pepper !== undefined)
  const { text } = mintApiKey('live')
  const secret = { hash: hashApiKey(text, pepper), pepperVersion: 1, expiresAt: null }
  const terms = { peppers, now: 0 }
  assert.equal(verifyApiKey(text, { secrets: [secret] }, terms), true)
  for (let shared = 0; shared < text.length; shared += 1) {
    const char = text.charAt(shared) === '0' ? '1' : '0'
    const twin = text.slice(0, shared) + char + text.slice(shared + 1)
    assert.equal(verifyApiKey(twin, { secrets: [secret] }, terms), false)
    assert.equal(verifyApiKey(text.slice(0, shared), { secrets: [secret] }, terms), false)
  }
  assert.equal(verifyApiKey(`${text}0`, { secrets: [secret] }, terms), false)
})
