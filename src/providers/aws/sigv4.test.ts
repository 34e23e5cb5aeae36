import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AwsCredentials, signRequest } from './sigv4.ts'

/** Constants and signatures of the public AWS Signature Version 4 test suite (Apache-2.0). */
const suiteDate = new Date('2015-08-30T12:36:00Z')
const credentials: AwsCredentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const suiteToken =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='
const unreserved = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

interface Vector {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly token?: string
  readonly signature: string
}

const vectors: readonly Vector[] = [
  {
    name: 'get-vanilla',
    method: 'GET',
    path: '/',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'get-vanilla-query-order-key-case',
    method: 'GET',
    path: '/?Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'get-vanilla-empty-query-key',
    method: 'GET',
    path: '/?Param1=value1',
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  {
    name: 'get-vanilla-query-unreserved',
    method: 'GET',
    path: `/?${unreserved}=${unreserved}`,
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  {
    name: 'get-vanilla-utf8-query',
    method: 'GET',
    path: '/?ሴ=bar',
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  {
    name: 'get-unreserved',
    method: 'GET',
    path: `/${unreserved}`,
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  {
    name: 'get-utf8',
    method: 'GET',
    path: '/ሴ',
    signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
  },
  {
    name: 'get-relative (normalized)',
    method: 'GET',
    path: '/example/..',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'get-slashes (normalized)',
    method: 'GET',
    path: '//',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'get-header-value-order',
    method: 'GET',
    path: '/',
    headers: { 'My-Header1': 'value4,value1,value3,value2' },
    signature: '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
  },
  {
    name: 'get-header-value-trim',
    method: 'GET',
    path: '/',
    headers: { 'My-Header1': ' value1', 'My-Header2': ' "a   b   c"' },
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  {
    name: 'post-vanilla',
    method: 'POST',
    path: '/',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'post-vanilla-query',
    method: 'POST',
    path: '/?Param1=value1',
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  {
    name: 'post-header-key-sort',
    method: 'POST',
    path: '/',
    headers: { 'My-Header1': 'value1' },
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-header-value-case',
    method: 'POST',
    path: '/',
    headers: { 'My-Header1': 'VALUE1' },
    signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  {
    name: 'post-sts-header-before',
    method: 'POST',
    path: '/',
    token: suiteToken,
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
  {
    name: 'post-x-www-form-urlencoded',
    method: 'POST',
    path: '/',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'Param1=value1',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
]

for (const vector of vectors) {
  test(`the AWS test suite's ${vector.name} gets its published signature`, () => {
    const headers = signRequest({
      method: vector.method,
      path: vector.path,
      headers: { Host: 'example.amazonaws.com', ...vector.headers },
      body: vector.body ?? '',
      region: 'us-east-1',
      service: 'service',
      credentials: vector.token === undefined ? credentials : { ...credentials, sessionToken: vector.token },
      date: suiteDate,
    })
    assert.equal(headers['x-amz-date'], '20150830T123600Z')
    assert.equal(headers['x-amz-security-token'], vector.token)
    assert.match(
      headers.authorization,
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/service\/aws4_request, SignedHeaders=/,
    )
    assert.equal(headers.authorization.slice(-64), vector.signature)
  })
}

function sign(change: Partial<Parameters<typeof signRequest>[0]>): string {
  return signRequest({
    method: 'POST',
    path: '/model/anthropic.claude-v2%3A1/converse',
    headers: { host: 'bedrock-runtime.us-east-1.amazonaws.com' },
    body: '{}',
    region: 'us-east-1',
    service: 'bedrock',
    credentials,
    date: suiteDate,
    ...change,
  }).authorization
}

test('headers that proxies rewrite are never signed', () => {
  const plain = sign({})
  const noisy = sign({
    headers: {
      host: 'bedrock-runtime.us-east-1.amazonaws.com',
      'User-Agent': 'x',
      Connection: 'keep-alive',
      'Transfer-Encoding': 'chunked',
      Authorization: 'other',
    },
  })
  assert.equal(noisy, plain)
})

test('the signature covers method, path, query, body, region, service, secret and day', () => {
  const seen = new Set([
    sign({}),
    sign({ method: 'GET' }),
    sign({ path: '/model/anthropic.claude-v2%3A2/converse' }),
    sign({ path: '/model/anthropic.claude-v2%3A1/converse?a=b' }),
    sign({ body: '{ }' }),
    sign({ region: 'eu-west-1' }),
    sign({ service: 'other' }),
    sign({ credentials: { ...credentials, secretAccessKey: 'other' } }),
    sign({ date: new Date('2015-08-31T12:36:00Z') }),
  ])
  assert.equal(seen.size, 9)
})

test('an encoded path is encoded once more, so a colon in a model id signs as %253A', () => {
  // The same request given unencoded must differ: services sign what stands on the request line.
  assert.notEqual(sign({ path: '/model/anthropic.claude-v2:1/converse' }), sign({}))
})

test('a cached signing key gives the same signature as a fresh one', () => {
  const own = { ...credentials }
  const first = sign({ credentials: own })
  assert.equal(sign({ credentials: own }), first)
  sign({ credentials: own, region: 'eu-west-1' })
  assert.equal(sign({ credentials: own }), first)
})
