/**
 * Idle connections of one origin, last in first out: the most recently used one is the least likely to have been
 * closed by the other side, and the others age out. Bounds: `PoolBounds`.
 */
import type { UpstreamOrigin } from '../../ports/upstream-client.ts'
import type { TlsMemory } from './client-connect.ts'
import type { Http1Connection } from './client-connection.ts'
import { hostField } from './client-request.ts'

export interface PoolBounds {
  readonly idlePerOrigin: number
  readonly idleTotal: number
  /** Longest time a connection waits for its next request, milliseconds. */
  readonly idleMs: number
  /** Age from which on a connection serves no further request: names move, and load balancers with them. */
  readonly lifeMs: number
}

/** Everything that is known about an origin once, so that no request works it out again. */
export interface OriginPool {
  readonly origin: UpstreamOrigin
  /** `host: …` with its CRLF. */
  readonly hostLine: string
  readonly tls: TlsMemory
  /** Oldest first. */
  readonly idle: Http1Connection[]
}

export interface Pools {
  /** The pool of an origin; equal origins of different snapshots share one. */
  of(origin: UpstreamOrigin): OriginPool
  /** A usable idle connection, newest first, or null. */
  take(pool: OriginPool, now: number): Http1Connection | null
  /** False: full, the caller closes the connection. */
  put(pool: OriginPool, connection: Http1Connection): boolean
  remove(pool: OriginPool, connection: Http1Connection): void
  /** Close what has waited too long. */
  sweep(now: number): void
  closeIdle(): void
  readonly idleCount: number
}

/** Origins come from configuration; beyond this many, pools without idle connections are forgotten. */
const maxOrigins = 4096

export function createPools(bounds: PoolBounds): Pools {
  const byKey = new Map<string, OriginPool>()
  const byOrigin = new WeakMap<UpstreamOrigin, OriginPool>()
  let idleCount = 0

  function find(origin: UpstreamOrigin): OriginPool {
    const key = `${origin.protocol}//${origin.host}|${origin.port}|${origin.allowPrivateNetwork}`
    const known = byKey.get(key)
    if (known !== undefined) return known
    if (byKey.size >= maxOrigins) {
      for (const [other, pool] of byKey) if (pool.idle.length === 0) byKey.delete(other)
    }
    const pool: OriginPool = {
      origin,
      hostLine: `host: ${hostField(origin)}\r\n`,
      tls: { session: null },
      idle: [],
    }
    byKey.set(key, pool)
    return pool
  }

  function closeWhere(due: (connection: Http1Connection) => boolean): void {
    for (const pool of byKey.values()) {
      // `destroy` reports back and takes the connection out of the list: walk over a copy.
      for (const connection of pool.idle.filter(due)) connection.destroy()
    }
  }

  return {
    of(origin) {
      let pool = byOrigin.get(origin)
      if (pool === undefined) {
        pool = find(origin)
        byOrigin.set(origin, pool)
      }
      return pool
    },
    take(pool, now) {
      for (let connection = pool.idle.pop(); connection !== undefined; connection = pool.idle.pop()) {
        idleCount -= 1
        if (connection.usable && connection.idleUntil > now) return connection
        connection.destroy()
      }
      return null
    },
    put(pool, connection) {
      if (idleCount >= bounds.idleTotal || pool.idle.length >= bounds.idlePerOrigin) return false
      pool.idle.push(connection)
      idleCount += 1
      return true
    },
    remove(pool, connection) {
      const at = pool.idle.lastIndexOf(connection)
      if (at < 0) return
      pool.idle.splice(at, 1)
      idleCount -= 1
    },
    sweep: (now) => closeWhere((connection) => connection.idleUntil <= now),
    closeIdle: () => closeWhere(() => true),
    get idleCount() {
      return idleCount
    },
  }
}
