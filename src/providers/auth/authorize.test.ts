import assert from 'node:assert/strict'
import { createVerify, generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { Fault } from '../../kernel/fault.ts'
import type { UpstreamClient, UpstreamHandler, UpstreamRequest } from '../../ports/upstream-client.ts'
import { type Authorize, type AuthPorts, createAuthorize, type OutgoingRequest } from './authorize.ts'
import { googleTokenUrl } from './google-token.ts'
import { createTokenFetcher } from './token-fetcher.ts'

const request: OutgoingRequest = {
  method: 'POST',
  host: 'bedrock-runtime.us-east-1.amazonaws.com',
  path: '/model/m/converse',
  contentType: 'application/json',
  body: Buffer.from('{}'),
}
const offline: AuthPorts = { now: () => 0, fetchToken: (_form, done) => done('offline', 0, '') }

function source(secrets: Record<string, string>, region: string | null = null) {
  return { where: 'deployment d', secrets, region }
}

function run(authorize: Authorize): { failure: string | null; headers: readonly string[] } {
  const result: { failure: string | null; headers: readonly string[] }[] = []
  authorize(request, (failure, headers) => result.push({ failure: failure?.internal ?? null, headers }))
  assert.equal(result.length, 1, 'done is called once, at once')
  return result[0] ?? { failure: 'none', headers: [] }
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const serviceAccount = JSON.stringify({
  client_email: 'robot@project.iam.gserviceaccount.com',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  private_key_id: 'kid-1',
  token_uri: 'https://evil.example/token',
})
const scheme = { kind: 'google-oauth', scope: 'https://www.googleapis.com/auth/cloud-platform' } as const

test('bearer and header schemes yield one header, none yields nothing', () => {
  const secrets = source({ apiKey: 'k1' })
  assert.deepEqual(run(createAuthorize({ kind: 'bearer' }, secrets, offline)).headers, [
    'authorization',
    'Bearer k1',
  ])
  const header = createAuthorize({ kind: 'header', header: 'x-api-key' }, secrets, offline)
  assert.deepEqual(run(header).headers, ['x-api-key', 'k1'])
  assert.deepEqual(run(createAuthorize({ kind: 'none' }, secrets, offline)).headers, [])
  assert.deepEqual(run(createAuthorize({ kind: 'bearer', optional: true }, source({}), offline)).headers, [])
})

test('a key that could end its header line is refused, and the refusal does not show it', () => {
  for (const apiKey of ['a\r\nx-evil: 1', 'a\nb', 'ключ', ' padded ']) {
    assert.throws(
      () => createAuthorize({ kind: 'bearer' }, source({ apiKey }), offline),
      (err) => err instanceof Fault && !err.publicText.includes(apiKey) && !err.internalText.includes(apiKey),
    )
  }
  assert.throws(
    () => createAuthorize({ kind: 'bearer' }, source({}), offline),
    /needs the credential field apiKey/,
  )
})

test('sigv4 signs each request, and takes a bearer key instead when given', () => {
  const keys = { accessKeyId: 'AKID', secretAccessKey: 'shh', sessionToken: 'tok' }
  const { headers } = run(
    createAuthorize({ kind: 'sigv4', service: 'bedrock' }, source(keys, 'us-east-1'), offline),
  )
  const text = headers.join('\n')
  assert.match(
    text,
    /^authorization\nAWS4-HMAC-SHA256 Credential=AKID\/19700101\/us-east-1\/bedrock\/aws4_request/,
  )
  assert.match(text, /SignedHeaders=content-type;host;x-amz-date;x-amz-security-token/)
  assert.match(text, /x-amz-security-token\ntok/)
  assert.doesNotMatch(text, /shh/)
  const bearer = createAuthorize({ kind: 'sigv4', service: 'bedrock' }, source({ apiKey: 'b' }), offline)
  assert.deepEqual(run(bearer).headers, ['authorization', 'Bearer b'])
  for (const region of [null, 'us-east-1.evil', 'US']) {
    assert.throws(
      () => createAuthorize({ kind: 'sigv4', service: 'bedrock' }, source(keys, region), offline),
      Fault,
    )
  }
})

test('google-oauth signs an assertion for Google’s own endpoint only', () => {
  const forms: string[] = []
  const ports: AuthPorts = {
    now: () => 1_700_000_000_000,
    fetchToken: (form, done) => {
      forms.push(form)
      done(null, 200, JSON.stringify({ access_token: 'ya29', expires_in: 3599, token_type: 'Bearer' }))
    },
  }
  const authorize = createAuthorize(scheme, source({ serviceAccount }), ports)
  assert.deepEqual(run(authorize).headers, ['authorization', 'Bearer ya29'])
  const assertion = new URLSearchParams(forms[0]).get('assertion') ?? ''
  const [head = '', claims = '', signature = ''] = assertion.split('.')
  assert.ok(createVerify('sha256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url'))
  const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString())
  assert.deepEqual(parsed, {
    iss: 'robot@project.iam.gserviceaccount.com',
    scope: scheme.scope,
    aud: googleTokenUrl,
    iat: 1_700_000_000,
    exp: 1_700_003_600,
  })
})

test('google tokens are fetched once for many requests and renewed before they expire', () => {
  let now = 0
  let fetches = 0
  const answers: (() => void)[] = []
  const ports: AuthPorts = {
    now: () => now,
    fetchToken: (_form, done) => {
      fetches += 1
      const text = `t${fetches}`
      answers.push(() => done(null, 200, JSON.stringify({ access_token: text, expires_in: 3600 })))
    },
  }
  const authorize = createAuthorize(scheme, source({ serviceAccount }), ports)
  const seen: (string | undefined)[] = []
  for (let i = 0; i < 5; i += 1) authorize(request, (_failure, headers) => seen.push(headers[1]))
  assert.equal(fetches, 1)
  assert.equal(seen.length, 0)
  answers[0]?.()
  assert.deepEqual(
    [...seen],
    Array.from({ length: 5 }, () => 'Bearer t1'),
  )
  now = 3_400_000
  authorize(request, () => undefined)
  assert.equal(fetches, 1, 'still fresh')
  now = 3_500_000
  authorize(request, (_failure, headers) => seen.push(headers[1]))
  assert.equal(fetches, 2, 'renewed two minutes before expiry')
  answers[1]?.()
  assert.equal(seen.at(-1), 'Bearer t2')
})

test('a failed token exchange is reported without its answer and not repeated at once', () => {
  let now = 0
  let fetches = 0
  const ports: AuthPorts = {
    now: () => now,
    fetchToken: (_form, done) => {
      fetches += 1
      done(null, 400, '{"error_description":"secret detail"}')
    },
  }
  const authorize = createAuthorize(scheme, source({ serviceAccount }), ports)
  assert.match(run(authorize).failure ?? '', /^token endpoint answered 400/)
  assert.match(run(authorize).failure ?? '', /answered 400/)
  assert.equal(fetches, 1)
  now = 1500
  run(authorize)
  assert.equal(fetches, 2)
})

test('a service account that is not usable is refused without quoting it', () => {
  for (const text of [
    'nonsense-secret',
    '[]',
    '{"client_email":"a"}',
    '{"client_email":"a","private_key":"pem-secret"}',
  ]) {
    assert.throws(
      () => createAuthorize(scheme, source({ serviceAccount: text }), offline),
      (err) =>
        err instanceof Fault && !err.publicText.includes('secret') && !err.internalText.includes('secret'),
    )
  }
})

test('the token fetcher posts to Google through the upstream port and bounds the answer', () => {
  const requests: UpstreamRequest[] = []
  const handlers: UpstreamHandler[] = []
  let aborted = 0
  const abort = (): void => {
    aborted += 1
  }
  const client: UpstreamClient = {
    call: (sent, handler) => {
      requests.push(sent)
      handlers.push(handler)
      return { isSent: true, pause: () => undefined, resume: () => undefined, abort }
    },
    close: () => undefined,
  }
  const results: (readonly [string | null, number, string])[] = []
  const fetchToken = createTokenFetcher(client)
  fetchToken('a=b', (...result) => results.push(result))
  assert.equal(requests[0]?.origin.host, 'oauth2.googleapis.com')
  assert.equal(requests[0]?.path, '/token')
  handlers[0]?.head(200, [])
  handlers[0]?.data(Buffer.from('{"x":'))
  handlers[0]?.data(Buffer.from('1}'))
  handlers[0]?.end()
  assert.deepEqual(results, [[null, 200, '{"x":1}']])
  fetchToken('a=b', (...result) => results.push(result))
  handlers[1]?.head(200, [])
  handlers[1]?.data(Buffer.alloc(70_000))
  assert.equal(aborted, 1)
  assert.equal(results[1]?.[0], 'the answer is too large')
})
