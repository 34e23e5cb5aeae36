/**
 * Cost of access tokens: a request with a token that was found good before (warm), one that was not (cold, by
 * algorithm), and a proof of possession. Prints ns of CPU per call; the thread's own time, nothing is fetched.
 */
import { generateKeyPairSync, hash, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { TokenAlgorithm, TokenIssuerSnapshot } from '../../src/domain/token-issuer.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import { TokenDoor } from '../../src/gateway/tokens/token-door.ts'
import {
  compileIssuers,
  compilePeppers,
  createReplayMemory,
  openReplayStore,
  refuseProof,
} from '../../src/identity/index.ts'

function measure(
  name: string,
  targetNs: number,
  work: { readonly calls: number; run(index: number): void },
): void {
  for (let index = 0; index < work.calls / 4; index += 1) work.run(index)
  const start = process.threadCpuUsage()
  for (let index = 0; index < work.calls; index += 1) work.run(index)
  const spent = process.threadCpuUsage(start)
  const each = ((spent.user + spent.system) * 1000) / work.calls
  const verdict = each <= targetNs ? 'ok' : 'SLOW'
  process.stdout.write(
    `${name.padEnd(34)} ${each.toFixed(0).padStart(7)} ns  target ${targetNs} ns  ${verdict}\n`,
  )
}

const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
const issuer: TokenIssuerSnapshot = {
  id: 'tis_a',
  organizationId: 'org_a',
  name: 'bench',
  issuer: 'https://login.example.com',
  terms: {
    verification: 'jwks',
    jwksUri: null,
    introspection: null,
    audiences: ['https://llm.example.com'],
    algorithms,
    types: ['at+jwt'],
    clockSkewSeconds: 30,
    maxLifetimeSeconds: 86_400,
    requiredClaims: { tid: ['acme'] },
    application: { slug: null, claim: 'azp', values: { client: 'shop' } },
    teamClaim: 'department',
    userClaim: 'email',
    scopes: [{ scope: 'llm.use', models: ['*'], operations: ['*'] }],
    dpop: { mode: 'off', nonce: false, origins: [] },
    allowPrivateNetwork: false,
  },
  applications: { shop: 'app_a' },
}

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function signToken(alg: TokenAlgorithm, key: KeyObject, parts: { header: object; claims: object }): string {
  const signed = `${encode({ alg, ...parts.header })}.${encode(parts.claims)}`
  const digest = alg === 'EdDSA' ? null : 'sha256'
  const signature = sign(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

const now = Date.now()
const seconds = Math.floor(now / 1000)
function tokenOf(alg: (typeof algorithms)[number]): string {
  const claims = {
    iss: issuer.issuer,
    aud: issuer.terms.audiences,
    sub: randomUUID(),
    jti: randomUUID(),
    iat: seconds,
    exp: seconds + 3600,
    azp: 'client',
    tid: 'acme',
    department: 'research',
    email: 'somebody@example.com',
    scope: 'openid llm.use',
    filler: 'x'.repeat(300),
  }
  return signToken(alg, pairs[alg].privateKey, { header: { kid: alg, typ: 'at+jwt' }, claims })
}

const door = new TokenDoor({
  line: {
    askKeys: (_id, done) => done(null),
    introspect: (_id, _token, done) => done({ kind: 'unavailable' }),
  },
  replays: openReplayStore(createReplayMemory()),
  clock: { now: Date.now },
})
const keys = algorithms.map((kid) => ({
  ...(pairs[kid].publicKey.export({ format: 'jwk' }) as Record<string, string>),
  kid,
}))
door.apply({ type: 'token-keys', keys: { issuerId: issuer.id, keys, goodUntil: now + 3_600_000 } })
const application = { id: 'app_a', organizationId: 'org_a', team: '' }
const snapshot = { issuers: compileIssuers([issuer]), applications: new Map([['app_a', application]]) }

/** As much of an exchange as a credential meets. */
function enter(token: string): void {
  const exchange = { snapshot, outcome: 'open' } as unknown as Exchange
  if (door.enter(exchange, token) !== 'next') throw new Error('it had to wait')
  exchange.compiledKey?.exchanges.delete(exchange)
}

const warm = Array.from({ length: 1024 }, () => tokenOf('ES256'))
for (const token of warm) enter(token)
measure('warm: 1,024 tokens in turn', 5000, { calls: 100_000, run: (at) => enter(warm[at & 1023] ?? '') })
for (const alg of algorithms) {
  const calls = 2000
  const tokens = Array.from({ length: calls * 1.25 }, () => tokenOf(alg))
  let next = 0
  const run = (): void => {
    enter(tokens[next] ?? '')
    next += 1
  }
  measure(`cold: ${alg}, principal included`, 300_000, { calls, run })
}

const { privateKey, publicKey } = pairs.ES256
const jwk = publicKey.export({ format: 'jwk' })
const { crv, kty, x, y } = jwk
const boundTo = hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url')
const accessToken = warm[0] ?? ''
const ath = hash('sha256', accessToken, 'base64url')
const proofs = Array.from({ length: 2500 }, () => {
  const claims = { jti: randomUUID(), htm: 'POST', htu: 'https://llm.example.com/v1/chat', iat: seconds, ath }
  return signToken('ES256', privateKey, { header: { typ: 'dpop+jwt', jwk }, claims })
})
const terms = {
  dpop: { mode: 'required', nonce: false, origins: ['https://llm.example.com'] },
  skewMs: 30_000,
  peppers: compilePeppers({}),
  now,
  replays: openReplayStore(createReplayMemory()),
} as const
let used = 0
measure('proof of possession: ES256', 300_000, {
  calls: 2000,
  run() {
    const request = { method: 'POST', path: '/v1/chat', accessToken, boundTo }
    if (refuseProof(proofs[used] ?? '', request, terms) !== null) throw new Error('it was refused')
    used += 1
  },
})
