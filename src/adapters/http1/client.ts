/**
 * The upstream client: HTTP/1.1 over pooled keep-alive connections, plain and TLS. One instance per thread.
 * Every connection passes the egress guard; certificates are always verified; redirects are not followed.
 * Bounds: `ClientBounds`.
 */
import { createSecureContext, rootCertificates } from 'node:tls'
import type { Clock } from '../../kernel/clock.ts'
import { systemClock } from '../../kernel/clock.ts'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import type { EgressGuard } from '../../ports/egress.ts'
import type { UpstreamClient } from '../../ports/upstream-client.ts'
import { type ConnectionSource, Http1Call } from './client-call.ts'
import { type ConnectContext, openConnection } from './client-connect.ts'
import { type ConnectionBounds, type ConnectionKeeper, Http1Connection } from './client-connection.ts'
import { createPools, type OriginPool, type PoolBounds } from './pool.ts'

export interface ClientBounds extends ConnectionBounds, PoolBounds {
  /** Connections at once, busy and idle; beyond it calls fail with `connect`. */
  readonly connections: number
}

export const defaultClientBounds: ClientBounds = Object.freeze({
  headerBytes: 65_536,
  headerCount: 256,
  idlePerOrigin: 256,
  idleTotal: 1024,
  idleMs: 55_000,
  connections: 8192,
})

export interface Http1ClientOptions {
  readonly egress: EgressGuard
  readonly clock?: Clock
  readonly bounds?: Partial<ClientBounds>
  /** PEM certificates trusted besides the built-in roots. */
  readonly extraCertificates?: readonly string[]
  /** Resolution of the deadlines, milliseconds. */
  readonly tickMs?: number
}

const sweepMs = 1000
/** The other side's clock starts earlier than ours: stay away from its last second. */
const keepAliveMarginMs = 1000

export function createHttp1Client(options: Http1ClientOptions): UpstreamClient {
  const clock = options.clock ?? systemClock
  const bounds: ClientBounds = { ...defaultClientBounds, ...options.bounds }
  const wheel = createTimerWheel(options.tickMs)
  const pools = createPools(bounds)
  const context: ConnectContext = {
    egress: options.egress,
    wheel,
    secureContext: createSecureContext({
      minVersion: 'TLSv1.2',
      ...(options.extraCertificates === undefined
        ? {}
        : { ca: [...rootCertificates, ...options.extraCertificates] }),
    }),
  }
  let connections = 0
  let closed = false
  let sweeping = false

  function sweep(): void {
    pools.sweep(clock.monotonic())
    sweeping = pools.idleCount > 0
    if (sweeping) wheel.set(sweepMs, sweep)
  }

  function keeperOf(pool: OriginPool): ConnectionKeeper {
    return {
      released(connection, keepAliveMs) {
        const idleMs = Math.min(bounds.idleMs, (keepAliveMs ?? Number.POSITIVE_INFINITY) - keepAliveMarginMs)
        connection.idleUntil = clock.monotonic() + idleMs
        if (closed || idleMs <= 0 || !pools.put(pool, connection)) connection.destroy()
        else if (!sweeping) {
          sweeping = true
          wheel.set(sweepMs, sweep)
        }
      },
      closed(connection) {
        connections -= 1
        pools.remove(pool, connection)
      },
    }
  }

  const source: ConnectionSource = {
    wheel,
    takeIdle: (pool) => pools.take(pool, clock.monotonic()),
    open(pool, done) {
      if (connections >= bounds.connections) {
        done({ kind: 'connect', internal: 'too many connections' }, null)
        return () => undefined
      }
      connections += 1
      let connection: Http1Connection | null = null
      let counted = true
      /** Bytes before the request: whatever they are, they must not be taken for its response. */
      let early = false
      const uncount = (): void => {
        if (counted) connections -= 1
        counted = false
      }
      const target = {
        origin: pool.origin,
        tls: pool.tls,
        receive(bytes: Buffer) {
          if (connection === null) early = true
          else connection.receive(bytes)
        },
      }
      const giveUp = openConnection(context, target, (failure, socket) => {
        if (socket === null || early) {
          uncount()
          socket?.destroy()
          done(failure ?? { kind: 'protocol', internal: 'bytes before the request' }, null)
          return
        }
        // From here on the keeper counts the connection out.
        counted = false
        connection = new Http1Connection(socket, keeperOf(pool), bounds)
        done(null, connection)
      })
      return () => {
        uncount()
        giveUp()
      }
    },
  }

  return {
    call(request, handler) {
      const call = new Http1Call(source, pools.of(request.origin), request, handler)
      call.start()
      return call
    },
    close() {
      closed = true
      pools.closeIdle()
    },
  }
}
