/**
 * Access tokens for Google Cloud from a service account key: a signed JWT (RS256, RFC 7523 §2.1) is exchanged at
 * Google's token endpoint. One request is under way at a time; the token is kept until shortly before it expires.
 *
 * The endpoint is fixed: a `token_uri` in the key file is not followed, so the file cannot choose where the signed
 * assertion goes. Bounds: at most 10,000 waiters; a failed exchange is not repeated for a second.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { isJsonObject } from '../../domain/json.ts'
import { checkHeaderValue } from '../catalogue/header-rules.ts'
import { refuse } from '../catalogue/refuse.ts'

export const googleTokenUrl = 'https://oauth2.googleapis.com/token'

/** Posts a form to Google's token endpoint. `failure`: why no answer came, for logs. */
export type TokenFetcher = (
  form: string,
  done: (failure: string | null, status: number, body: string) => void,
) => void

export type TokenDone = (failure: { readonly internal: string } | null, token: string) => void

export interface GoogleTokenOptions {
  /** The service account key file's text. */
  readonly serviceAccount: string
  readonly scope: string
  readonly where: string
  readonly now: () => number
  readonly fetchToken: TokenFetcher
}

const lifetimeSeconds = 3600
/** Renew this long before expiry: covers clock skew and the time a request is under way. */
const skewMs = 120_000
const retryAfterMs = 1000
const maxWaiters = 10_000

interface ServiceAccount {
  readonly email: string
  readonly keyId: string
  readonly key: KeyObject
}

function parseKey(where: string, pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // The parser's message may quote the input: it is dropped.
  }
  return refuse(`${where}: private_key of the service account is not an RSA key in PEM`)
}

function parseServiceAccount(options: GoogleTokenOptions): ServiceAccount {
  let parsed: unknown
  try {
    parsed = JSON.parse(options.serviceAccount)
  } catch {
    refuse(`${options.where}: the service account is not JSON`)
  }
  if (!isJsonObject(parsed)) refuse(`${options.where}: the service account is not a JSON object`)
  const { client_email: email, private_key: pem, private_key_id: keyId } = parsed
  if (typeof email !== 'string' || typeof pem !== 'string') {
    refuse(`${options.where}: the service account lacks client_email or private_key`)
  }
  return { email, keyId: typeof keyId === 'string' ? keyId : '', key: parseKey(options.where, pem) }
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function writeForm(account: ServiceAccount, scope: string, nowMs: number): string {
  const issuedAt = Math.floor(nowMs / 1000)
  const header = { alg: 'RS256', typ: 'JWT', ...(account.keyId === '' ? {} : { kid: account.keyId }) }
  const claims = {
    iss: account.email,
    scope,
    aud: googleTokenUrl,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
  }
  const signed = `${base64url(header)}.${base64url(claims)}`
  const signature = sign('sha256', Buffer.from(signed), account.key).toString('base64url')
  return new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${signed}.${signature}`,
  }).toString()
}

interface Token {
  readonly text: string
  readonly expiresInMs: number
}

/** RFC 6749 §5.1. Undefined for anything that is not a usable token. */
function readToken(body: string): Token | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!isJsonObject(parsed)) return undefined
  const { access_token: text, expires_in: seconds } = parsed
  if (typeof text !== 'string' || !checkHeaderValue(text)) return undefined
  const known = typeof seconds === 'number' && seconds > 0 ? seconds : 300
  return { text, expiresInMs: Math.min(known, lifetimeSeconds) * 1000 }
}

/**
 * A source of tokens for one service account. Calls back at once while a token is fresh.
 * @throws Fault `config.invalid` when the key file is not usable
 */
export function createGoogleTokenSource(options: GoogleTokenOptions): (done: TokenDone) => void {
  const account = parseServiceAccount(options)
  let token = ''
  let renewAt = 0
  let retryAt = 0
  let lastFailure = ''
  let waiters: TokenDone[] = []

  function settle(failure: string | null): void {
    const waiting = waiters
    waiters = []
    lastFailure = failure ?? ''
    retryAt = failure === null ? 0 : options.now() + retryAfterMs
    for (const done of waiting) done(failure === null ? null : { internal: failure }, token)
  }

  function receive(failure: string | null, status: number, body: string): void {
    const fresh = failure === null && status === 200 ? readToken(body) : undefined
    if (failure !== null) settle(`token request failed: ${failure}`)
    else if (fresh === undefined) settle(`token endpoint answered ${status} without a usable token`)
    else {
      token = fresh.text
      renewAt = options.now() + Math.max(fresh.expiresInMs - skewMs, fresh.expiresInMs / 2)
      settle(null)
    }
  }

  return (done) => {
    const now = options.now()
    if (now < renewAt) return done(null, token)
    if (waiters.length === 0 && now < retryAt) return done({ internal: lastFailure }, '')
    if (waiters.length >= maxWaiters) return done({ internal: 'too many requests wait for a token' }, '')
    waiters.push(done)
    if (waiters.length === 1) options.fetchToken(writeForm(account, options.scope, now), receive)
  }
}
