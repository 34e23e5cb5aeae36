/**
 * Auth schemes: how a request proves itself to a provider. `createAuthorize` turns a scheme and the opened secrets of
 * one deployment into a function that yields the headers to add; whatever can be computed once is computed here.
 *
 * Secrets go into outgoing headers and nowhere else: not into faults, not into failures.
 */
import type { AuthScheme } from '../../domain/provider.ts'
import { signRequest } from '../aws/sigv4.ts'
import { checkHeaderValue } from '../catalogue/header-rules.ts'
import { refuse } from '../catalogue/refuse.ts'
import { createGoogleTokenSource, type TokenFetcher } from './google-token.ts'

/** The request as it will stand on the wire. */
export interface OutgoingRequest {
  readonly method: string
  /** Value of the Host header. */
  readonly host: string
  /** Path and query. */
  readonly path: string
  readonly contentType: string
  /** The whole body; null: none. */
  readonly body: Uint8Array | null
}

export interface AuthorizeFailure {
  /** For logs; holds no secret. */
  readonly internal: string
}

/** `headers`: flat name, value list to add; empty with a failure. */
export type AuthorizeDone = (failure: AuthorizeFailure | null, headers: readonly string[]) => void

/** Calls `done` once: at once for every scheme but google-oauth, which may have to fetch a token first. */
export type Authorize = (request: OutgoingRequest, done: AuthorizeDone) => void

/** What schemes need from outside. */
export interface AuthPorts {
  /** Unix time, milliseconds. */
  readonly now: () => number
  readonly fetchToken: TokenFetcher
}

export interface AuthSource {
  /** Names the deployment in refusals. */
  readonly where: string
  readonly secrets: Readonly<Record<string, string>>
  readonly region: string | null
}

type SchemeOf<K extends AuthScheme['kind']> = Extract<AuthScheme, { readonly kind: K }>
type Factory<K extends AuthScheme['kind']> = (
  scheme: SchemeOf<K>,
  source: AuthSource,
  ports: AuthPorts,
) => Authorize

const noHeaders: readonly string[] = Object.freeze([])

function readSecret(source: AuthSource, name: string): string | undefined {
  const value = Object.hasOwn(source.secrets, name) ? source.secrets[name] : undefined
  return value === undefined || value === '' ? undefined : value
}

function readHeaderSecret(source: AuthSource, name: string): string | undefined {
  const value = readSecret(source, name)
  if (value !== undefined && !checkHeaderValue(value)) {
    refuse(`${source.where}: the credential field ${name} has characters that a header cannot carry`)
  }
  return value
}

function constant(headers: readonly string[]): Authorize {
  const frozen = Object.freeze([...headers])
  return (_request, done) => done(null, frozen)
}

function byKey(source: AuthSource, optional: boolean, write: (key: string) => readonly string[]): Authorize {
  const key = readHeaderSecret(source, 'apiKey')
  if (key !== undefined) return constant(write(key))
  if (!optional) refuse(`${source.where} needs the credential field apiKey`)
  return constant(noHeaders)
}

function bearerHeaders(token: string): readonly string[] {
  return ['authorization', `Bearer ${token}`]
}

const regionPattern = /^[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}$/

const sigv4: Factory<'sigv4'> = (scheme, source, ports) => {
  const apiKey = readHeaderSecret(source, 'apiKey')
  if (apiKey !== undefined) return constant(bearerHeaders(apiKey))
  const accessKeyId = readHeaderSecret(source, 'accessKeyId')
  const secretAccessKey = readSecret(source, 'secretAccessKey')
  const sessionToken = readHeaderSecret(source, 'sessionToken')
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    refuse(`${source.where} needs the credential fields accessKeyId and secretAccessKey, or apiKey`)
  }
  const region = source.region
  if (region === null || !regionPattern.test(region)) refuse(`${source.where} needs an AWS region`)
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
  return (request, done) => {
    const signed = signRequest({
      method: request.method,
      path: request.path,
      headers: { host: request.host, 'content-type': request.contentType },
      body: request.body ?? '',
      region,
      service: scheme.service,
      credentials,
      date: new Date(ports.now()),
    })
    done(null, Object.entries(signed).flat())
  }
}

const googleOauth: Factory<'google-oauth'> = (scheme, source, ports) => {
  const serviceAccount = readSecret(source, 'serviceAccount') ?? readSecret(source, 'apiKey')
  if (serviceAccount === undefined) refuse(`${source.where} needs the credential field serviceAccount`)
  const tokens = createGoogleTokenSource({
    serviceAccount,
    scope: scheme.scope,
    where: source.where,
    ...ports,
  })
  return (_request, done) =>
    tokens((failure, token) => done(failure, failure === null ? bearerHeaders(token) : noHeaders))
}

const factories: { readonly [K in AuthScheme['kind']]: Factory<K> } = {
  bearer: (scheme, source) => byKey(source, scheme.optional === true, bearerHeaders),
  header: (scheme, source) => byKey(source, scheme.optional === true, (key) => [scheme.header, key]),
  sigv4,
  'google-oauth': googleOauth,
  none: () => constant(noHeaders),
}

/**
 * @throws Fault `config.invalid` when the secrets do not suit the scheme; it names fields only
 */
export function createAuthorize<K extends AuthScheme['kind']>(
  scheme: SchemeOf<K> & { readonly kind: K },
  source: AuthSource,
  ports: AuthPorts,
): Authorize {
  return factories[scheme.kind](scheme, source, ports)
}
