/**
 * The upstream client: HTTP/1.1 over pooled keep-alive connections, plain and TLS. One instance per thread.
 * Every connection passes the egress guard; certificates are always verified; redirects are not followed.
 * Bounds: `ClientBounds`.
 */
import { createSecureContext, getCACertificates } from 'node:tls'
import type { Clock } from '../../kernel/clock.ts'
import { systemClock } from '../../kernel/clock.ts'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import type { EgressGuard } from '../../ports/egress.ts'
import type { UpstreamClient } from '../../ports/upstream-client.ts'
import { type ConnectionSource, Http1Call, type OpenDone } from './client-call.ts'
import { type ConnectContext, type ConnectTarget, openConnection } from './client-connect.ts'
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
  lifeMs: 600_000,
  connections: 8192,
})

export interface Http1ClientOptions {
  readonly egress: EgressGuard
  readonly clock?: Clock
  readonly bounds?: Partial<ClientBounds>
  /** PEM certificates trusted besides the default roots (which include NODE_EXTRA_CA_CERTS). */
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
  const state: ClientState = { connections: 0, closed: false, sweeping: false }
  const ca =
    options.extraCertificates === undefined
      ? {}
      : { ca: [...getCACertificates('default'), ...options.extraCertificates] }
  const secureContext = createSecureContext({ minVersion: 'TLSv1.2', ...ca })
  const dial = createDialer({ egress: options.egress, wheel, secureContext }, bounds, state)

  function sweep(): void {
    pools.sweep(clock.monotonic())
    state.sweeping = pools.idleCount > 0
    if (state.sweeping) wheel.set(sweepMs, sweep)
  }

  function keeperOf(pool: OriginPool): ConnectionKeeper {
    return {
      released(connection, keepAliveMs) {
        const idleMs = Math.min(bounds.idleMs, (keepAliveMs ?? Number.POSITIVE_INFINITY) - keepAliveMarginMs)
        const now = clock.monotonic()
        connection.idleUntil = now + idleMs
        const spent = idleMs <= 0 || connection.lifeUntil <= now
        if (state.closed || spent || !pools.put(pool, connection)) connection.destroy()
        else if (!state.sweeping) {
          state.sweeping = true
          wheel.set(sweepMs, sweep)
        }
      },
      closed(connection) {
        state.connections -= 1
        pools.remove(pool, connection)
      },
    }
  }

  const source: ConnectionSource = {
    wheel,
    takeIdle: (pool) => pools.take(pool, clock.monotonic()),
    open: (pool, done) =>
      dial(pool, keeperOf(pool), (failure, connection) => {
        if (connection !== null) connection.lifeUntil = clock.monotonic() + bounds.lifeMs
        done(failure, connection)
      }),
  }

  return {
    call(request, handler) {
      const call = new Http1Call(source, pools.of(request.origin), { request, handler })
      call.start()
      return call
    },
    close() {
      state.closed = true
      pools.closeIdle()
    },
  }
}

interface ClientState {
  /** Open or being opened. */
  connections: number
  closed: boolean
  sweeping: boolean
}

type Dial = (pool: OriginPool, keeper: ConnectionKeeper, done: OpenDone) => () => void

/** Opens connections and counts them; once one stands, its keeper counts it out. */
function createDialer(context: ConnectContext, bounds: ClientBounds, state: ClientState): Dial {
  return (pool, keeper, done) => {
    if (state.connections >= bounds.connections) {
      done({ kind: 'connect', internal: 'too many connections' }, null)
      return () => undefined
    }
    state.connections += 1
    let pending = true
    let connection: Http1Connection | null = null
    /** Bytes before the request: whatever they are, they must not be taken for its response. */
    let early = false

    function settle(): void {
      if (pending) state.connections -= 1
      pending = false
    }

    const target: ConnectTarget = {
      origin: pool.origin,
      tls: pool.tls,
      receive(bytes) {
        if (connection === null) early = true
        else connection.receive(bytes)
      },
    }
    const giveUp = openConnection(context, target, (failure, socket) => {
      if (socket === null || early) {
        settle()
        socket?.destroy()
        done(failure ?? { kind: 'protocol', internal: 'bytes before the request' }, null)
        return
      }
      pending = false
      connection = new Http1Connection(socket, keeper, bounds)
      done(null, connection)
    })
    return () => {
      settle()
      giveUp()
    }
  }
}
