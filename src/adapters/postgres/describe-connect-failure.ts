/** Why a database could not be opened, for the person who starts the gateway. Messages of servers are not quoted. */
import { DatabaseError } from 'pg'
import { connectionSettings, type PostgresOptions } from './connection-settings.ts'

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections: start it, or correct host and port in storage.url.',
  ENOTFOUND: 'is not known: correct the host in storage.url.',
  EAI_AGAIN: 'cannot be looked up: name resolution does not answer.',
  EHOSTUNREACH: 'cannot be reached: there is no way to that host.',
  ENETUNREACH: 'cannot be reached: there is no way to that network.',
  ETIMEDOUT: 'does not answer: look at the network between, or raise storage.connectTimeoutMs.',
  ENOENT: 'has no socket in that directory: start it, or correct the host in storage.url.',
  EACCES: 'has a socket that this user may not use.',
  '28P01': 'refuses the password: correct it in storage.url.',
  '28000': 'refuses this user, or the connection without TLS or with it: look at pg_hba.conf of the server.',
  '3D000': 'has no database of that name: create it.',
  '42501': 'lets this user create no tables: make the user the owner of the database.',
  '53300': 'has no connection left: raise its max_connections, or lower storage.poolSize of the nodes.',
  '57P03': 'is starting up or shutting down: try again.',
  '25006': 'takes no writes: it is a standby. Name the primary in storage.url.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'shows a certificate of another name: correct the host in storage.url or the certificate.',
}

const tlsReason =
  'shows a certificate that is not trusted: name its authority in storage.tls.authorityFile, or correct the certificate.'
const isTlsCode = (code: string): boolean => /CERT|SIGNATURE|ISSUER/.test(code)

/** Node.js gathers what happened with each address of a host. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown }
  if (error instanceof DatabaseError) return error.code ?? null
  // A fault carries the driver's error as its cause; its own code says less.
  const inner = codeOf(cause)
  if (inner !== null) return inner
  return typeof code === 'string' && !code.includes('.') ? code : null
}

function reasonOf(error: unknown): string {
  const code = codeOf(error)
  if (code === null) {
    const text = error instanceof Error ? `${error.message} ${String(error.cause)}` : ''
    if (text.includes('does not support SSL')) return 'speaks no TLS: switch it on there.'
    return 'does not answer as a database does: look at the network between, and at the log of the server.'
  }
  return reasons[code] ?? (isTlsCode(code) ? tlsReason : `cannot be used (${code}).`)
}

export function describeConnectFailure(error: unknown, options: PostgresOptions): string {
  const { host, port, database } = connectionSettings(options)
  return `The database ${database} at ${host}:${port} ${reasonOf(error)}`
}
