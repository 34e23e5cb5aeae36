import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { makeTestKey, startTestIssuer } from '../../../test/fixtures/token-issuer/token-issuer.ts'
import { createHttp1Client } from '../../adapters/http1/client.ts'
import type { IssuerKeys, TokenTerms } from '../../domain/token-issuer.ts'
import { createEgressGuard } from '../../egress/index.ts'
import { parseAddress } from './fetch-document.ts'
import { ageOf, KeyDesk, metadataUrls } from './key-desk.ts'
import { readKeySet } from './key-set.ts'

const issuer = await startTestIssuer()
const client = createHttp1Client({ egress: createEgressGuard() })
let now = 1_800_000_000_000
const fetched: IssuerKeys[] = []
const logged: string[] = []
const parts = {
  client,
  now: () => now,
  onKeys: (keys: IssuerKeys) => fetched.push(keys),
  log: (text: string) => logged.push(text),
}
let desk = new KeyDesk(parts)

after(async () => {
  desk.close()
  client.close()
  await issuer.close()
})
beforeEach(() => {
  desk.close()
  desk = new KeyDesk(parts)
  issuer.failWith = null
  issuer.requests.clear()
  fetched.length = 0
  logged.length = 0
})

const ask = (): Promise<IssuerKeys | null> => new Promise((resolve) => desk.ask('tis_a', resolve))
const fetches = (): number => issuer.requests.get('/jwks') ?? 0

/** The desk with the issuer, after its first fetch. */
async function begin(own: Partial<TokenTerms> = {}): Promise<void> {
  desk.configure([issuer.row(own)])
  await ask()
}

test('keys are found by discovery and fetched once for all who ask at once', async () => {
  desk.configure([issuer.row()])
  const all = await Promise.all(Array.from({ length: 50 }, ask))
  assert.equal(new Set(all).size, 1)
  assert.deepEqual(
    all[0]?.keys.map(({ kid }) => kid),
    ['k1'],
  )
  assert.deepEqual([fetches(), fetched.length], [1, 1])
  assert.deepEqual(desk.status('tis_a'), { fetchedAt: now, keyIds: ['k1'], problem: null })
})

test('whoever asks for keys that are not there causes one fetch in 30 s, however many ask', async () => {
  await begin()
  for (let tries = 0; tries < 20; tries += 1) await ask()
  assert.equal(fetches(), 1)
  now += 31_000
  issuer.keys = [await makeTestKey('k2'), ...issuer.keys]
  const all = await Promise.all(Array.from({ length: 20 }, ask))
  assert.deepEqual(
    all[0]?.keys.map(({ kid }) => kid),
    ['k2', 'k1'],
  )
  assert.equal(fetches(), 2)
})

test('an issuer that fails leaves the last good set for a day, and then none', async () => {
  await begin()
  issuer.failWith = 500
  now += 31_000
  assert.equal((await ask())?.keys.length, issuer.keys.length)
  assert.match(desk.status('tis_a')?.problem ?? '', /metadata cannot be read/)
  assert.match(logged.join(), /The keys of test were not fetched/)
  now += 86_400_000 + 600_000
  assert.equal(await ask(), null)
})

test('an empty set, no set and metadata of another name are no keys', async () => {
  const before = issuer.keys
  issuer.keys = []
  desk.configure([issuer.row()])
  assert.equal(await ask(), null)
  assert.match(desk.status('tis_a')?.problem ?? '', /no key in the set can be used/)
  issuer.keys = before
  desk.configure([{ ...issuer.row(), issuer: `${issuer.url}/` }])
  assert.equal(await ask(), null)
  assert.match(desk.status('tis_a')?.problem ?? '', /metadata cannot be read/)
})

test('private addresses are called only where the row says so', async () => {
  desk.configure([issuer.row({ allowPrivateNetwork: false, jwksUri: `${issuer.url}/jwks` })])
  assert.equal(await ask(), null)
  assert.equal(fetches(), 0)
  assert.equal(typeof parseAddress('https://169.254.169.254/x', true), 'string')
  for (const url of [
    'https://a.example/#x',
    'https://u@a.example/',
    'ftp://a.example/',
    'https://a.example/ x',
  ])
    assert.equal(typeof parseAddress(url, false), 'string', url)
  assert.deepEqual(parseAddress('https://a.example/keys/?p=1', false), {
    origin: { protocol: 'https:', host: 'a.example', port: 443, allowPrivateNetwork: false },
    path: '/keys/?p=1',
  })
})

test('sets live as long as their issuer says, within 30 s and 24 h', () => {
  assert.equal(ageOf([]), 300_000)
  assert.equal(ageOf(['cache-control', 'public, max-age=3600']), 3_600_000)
  assert.equal(ageOf(['cache-control', 'max-age=0']), 30_000)
  assert.equal(ageOf(['cache-control', 'max-age=99999999']), 86_400_000)
})

test('metadata is looked for where OpenID Connect and RFC 8414 have it', () => {
  assert.deepEqual(metadataUrls('https://a.example/t/1/'), [
    'https://a.example/t/1/.well-known/openid-configuration',
    'https://a.example/.well-known/oauth-authorization-server/t/1',
  ])
})

test('symmetric, private, small and unknown keys are left out of a set, and a set is bounded', async () => {
  const { jwk } = await makeTestKey('good')
  const set = (keys: readonly object[]): readonly object[] | null => readKeySet(JSON.stringify({ keys }))
  const kept = set([
    jwk,
    { ...jwk, d: 'AA' },
    { kty: 'oct', k: 'AA' },
    { ...jwk, x: 'AA' },
    { kty: 'XX' },
    7 as never,
  ])
  assert.equal(kept?.length, 1)
  assert.equal(set(Array.from({ length: 65 }, () => jwk)), null)
  for (const text of ['', '[]', '{}', '{"keys":{}}']) assert.equal(readKeySet(text), null)
})
