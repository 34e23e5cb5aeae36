/**
 * A connection to Valkey or Redis that fails fast: while it is down every call is refused at once, nothing is queued
 * and nothing is sent twice. It comes back by itself, after a pause that grows and is drawn at random, so that the
 * nodes of a fleet do not come back together.
 */
import { rootCertificates } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import type { CounterClient } from './counter-library.ts'

export interface ValkeyConnection {
  /** `redis://` or, over TLS, `rediss://`, with user and password where the server asks for them. */
  readonly url: string
  readonly cluster: boolean
  /** PEM; besides the public roots. */
  readonly extraCertificates: readonly string[]
  readonly commandTimeoutMs: number
}

const firstPauseMs = 50
const longestPauseMs = 1000
const connectTimeoutMs = 5000

/** Half of the pause is fixed, half is chance. @param random from 0 to 1 */
export function reconnectPauseMs(attempt: number, random: number): number {
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10))
  return Math.round(pauseMs / 2 + (pauseMs / 2) * random)
}

function addressOf({ url: text }: ValkeyConnection) {
  const url = new URL(text)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) }
}

/** Of each connection; a cluster opens one to each of its servers. */
function connectionOptions(connection: ValkeyConnection) {
  const url = new URL(connection.url)
  return {
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: tlsOptions(connection, url.hostname) } : {}),
    // RESP 2: the replies are arrays of text, and Redis 5 speaks nothing newer.
    protocol: 2 as const,
    connectTimeout: connectTimeoutMs,
    commandTimeout: connection.commandTimeoutMs,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    connectionName: 'gatewright',
  }
}

function tlsOptions({ extraCertificates }: ValkeyConnection, hostname: string) {
  return {
    minVersion: 'TLSv1.2' as const,
    ...(/^[\d.]+$|^\[/.test(hostname) ? {} : { servername: hostname }),
    ...(extraCertificates.length === 0 ? {} : { ca: [...rootCertificates, ...extraCertificates] }),
  }
}

export function createValkeyClient(connection: ValkeyConnection): CounterClient {
  const pause = (attempt: number): number => reconnectPauseMs(attempt, Math.random())
  const fast = { enableOfflineQueue: false, lazyConnect: true }
  const each = connectionOptions(connection)
  const address = addressOf(connection)
  if (connection.cluster) {
    return new Cluster([address], {
      ...fast,
      redisOptions: each,
      maxRedirections: 4,
      clusterRetryStrategy: pause,
    })
  }
  const db = Number(new URL(connection.url).pathname.slice(1) || 0)
  return new Redis({ ...each, ...fast, ...address, db, retryStrategy: pause })
}
