/** A database URL and options as what `pg` takes. Nothing is left to its environment variables but the password. */
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { type ClientConfig, types } from 'pg'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; with `?host=/directory&user=name`, a Unix socket. */
  readonly url: string
  /** `auto`: none on loopback and Unix sockets, else verified. */
  readonly tls: PostgresTls
  /** Most connections of this process, besides one that listens for changes. */
  readonly poolSize: number
  readonly connectTimeoutMs: number
  /** Longest statement, waiting for locks included; 0: no bound. */
  readonly statementTimeoutMs: number
}

export interface PostgresTls {
  readonly mode: 'auto' | 'verify' | 'off'
  /** PEM; the authorities of the system when left out. */
  readonly authority?: string
  /** PEM of this client, where the server asks for one. */
  readonly certificate?: string
  readonly privateKey?: string
}

const defaultPort = 5432
/** How long the server keeps a transaction whose owner says nothing: it would hold all other writers up. */
const idleTransactionTimeoutMs = 30_000
/** The server's own bound comes first; this one is for a server that does not answer at all. */
const answerGraceMs = 2000
const keepAliveAfterMs = 10_000

const int8 = 20
const numeric = 1700

/** Sums and counts come as exact numbers: all of ours stay below 2^53. */
const numberTypes: ClientConfig['types'] = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') =>
    id === int8 || id === numeric ? Number : types.getTypeParser(id, format)) as typeof types.getTypeParser,
}

interface Place {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password: string | undefined
}

function refuse(reason: string): Fault {
  return new Fault(faults.configInvalid, { public: { reason: `the database URL ${reason}` } })
}

function readPlace(text: string): Place {
  const url = URL.parse(text)
  // The text may hold a password: it is never quoted.
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw refuse('has the form postgres://user:password@host:5432/database')
  for (const name of url.searchParams.keys()) {
    if (name !== 'host' && name !== 'user')
      throw refuse(`takes no parameter ${name.slice(0, 40)}; TLS and timeouts are options of storage`)
  }
  const user = url.searchParams.get('user') ?? decodeURIComponent(url.username)
  const database = decodeURIComponent(url.pathname.slice(1))
  if (user === '' || database === '') throw refuse('names a user and a database')
  return {
    host: url.searchParams.get('host') ?? url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? defaultPort : Number(url.port),
    user,
    database,
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  }
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function tlsOf({ mode, authority, certificate, privateKey }: PostgresTls, host: string) {
  if (mode === 'off' || (mode === 'auto' && isLocal(host))) return false
  const options: ConnectionOptions = {
    // `pg` names hosts, but not addresses, to the check of the certificate.
    ...(isIP(host) === 0 ? {} : { host }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(authority === undefined ? {} : { ca: authority }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
  }
  return options
}

/** @throws Fault when the URL is not one of PostgreSQL */
export function connectionSettings(options: PostgresOptions): ClientConfig {
  const { password, ...place } = readPlace(options.url)
  const { connectTimeoutMs, statementTimeoutMs } = options
  return {
    ...place,
    ...(password === undefined ? {} : { password }),
    ssl: tlsOf(options.tls, place.host),
    enableChannelBinding: true,
    application_name: 'gatewright',
    connectionTimeoutMillis: connectTimeoutMs,
    idle_in_transaction_session_timeout: idleTransactionTimeoutMs,
    ...(statementTimeoutMs === 0
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + answerGraceMs }),
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    types: numberTypes,
  }
}
