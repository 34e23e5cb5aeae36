/**
 * AWS Signature Version 4 for requests with a whole body in memory (no presigned URLs, no chunked payloads).
 *
 * Assumes a non-S3 service: the path on the request line is encoded once more for the canonical request, and dot
 * segments and doubled slashes are resolved ("Create a signed AWS API request", step 1).
 * Derived signing keys are kept one per credentials object (the last scope used), so a day's requests derive once;
 * they live as long as the credentials object does.
 */
import { createHmac, hash } from 'node:crypto'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface SigningInput {
  readonly method: string
  /** Path and query exactly as they stand on the request line. */
  readonly path: string
  /** Headers to sign: at least `host`. Names in any case; hop-by-hop and tracing headers are left out. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  readonly region: string
  readonly service: string
  readonly credentials: AwsCredentials
  readonly date: Date
}

/** Headers to add to the request; names in lower case. */
export interface SignatureHeaders {
  readonly authorization: string
  readonly 'x-amz-date': string
  readonly 'x-amz-security-token'?: string
}

const algorithm = 'AWS4-HMAC-SHA256'

/** Headers that intermediaries may change on the way, so they must not be part of the signature. */
const unsignedHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amz-date',
  'x-amz-security-token',
  'x-amzn-trace-id',
])

/**
 * Signs a request. Pure but for the key cache; never throws on well-formed input.
 * Source: AWS General Reference, "Create a signed AWS API request"; checked against the AWS Signature V4 test suite.
 */
export function signRequest(input: SigningInput): SignatureHeaders {
  const timestamp = amzDate(input.date)
  const token = input.credentials.sessionToken
  const signed = signedHeaders(input.headers, timestamp, token)
  const canonical = canonicalRequest(input, signed)
  const scope = `${timestamp.slice(0, 8)}/${input.region}/${input.service}/aws4_request`
  const toSign = `${algorithm}\n${timestamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`
  const signature = createHmac('sha256', signingKey(input, scope)).update(toSign).digest('hex')
  const names = signed.map((header) => header[0]).join(';')
  const authorization = `${algorithm} Credential=${input.credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return token === undefined
    ? { authorization, 'x-amz-date': timestamp }
    : { authorization, 'x-amz-date': timestamp, 'x-amz-security-token': token }
}

/** `20150830T123600Z`. */
function amzDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '')
}

type Header = readonly [name: string, value: string]

function signedHeaders(
  headers: Readonly<Record<string, string>>,
  timestamp: string,
  token: string | undefined,
): readonly Header[] {
  const list: Header[] = [['x-amz-date', timestamp]]
  if (token !== undefined) list.push(['x-amz-security-token', token])
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (!unsignedHeaders.has(lower)) list.push([lower, value.trim().replace(/ +/g, ' ')])
  }
  return list.sort((a, b) => (a[0] < b[0] ? -1 : 1))
}

function canonicalRequest(input: SigningInput, signed: readonly Header[]): string {
  const queryAt = input.path.indexOf('?')
  const path = queryAt < 0 ? input.path : input.path.slice(0, queryAt)
  const query = queryAt < 0 ? '' : input.path.slice(queryAt + 1)
  return [
    input.method.toUpperCase(),
    canonicalPath(path),
    canonicalQuery(query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    signed.map(([name]) => name).join(';'),
    hash('sha256', input.body, 'hex'),
  ].join('\n')
}

/** Dot segments and empty segments resolved (RFC 3986 §5.2.4), then every segment encoded. */
function canonicalPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(encode(segment))
  }
  const trailing = segments.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${segments.join('/')}${trailing}`
}

/** Parameters sorted by encoded name, then value; a parameter without `=` gets an empty value. */
function canonicalQuery(query: string): string {
  if (query === '') return ''
  return query
    .split('&')
    .map((pair): Header => {
      const at = pair.indexOf('=')
      const name = at < 0 ? pair : pair.slice(0, at)
      return [encode(decode(name)), at < 0 ? '' : encode(decode(pair.slice(at + 1)))]
    })
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Everything but RFC 3986 unreserved characters as `%XX`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

interface CachedKey {
  readonly scope: string
  readonly key: Buffer
}
const keys = new WeakMap<AwsCredentials, CachedKey>()

function signingKey(input: SigningInput, scope: string): Buffer {
  const cached = keys.get(input.credentials)
  if (cached !== undefined && cached.scope === scope) return cached.key
  const day = hmac(`AWS4${input.credentials.secretAccessKey}`, scope.slice(0, 8))
  const key = hmac(hmac(hmac(day, input.region), input.service), 'aws4_request')
  keys.set(input.credentials, { scope, key })
  return key
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
