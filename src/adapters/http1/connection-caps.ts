/**
 * How many connections a listener holds, in all and for each client, and how fast one client may open new ones.
 * A client is a block of addresses: one IPv4 address or the /64 of an IPv6 one.
 *
 *   accept ─take()─▶ place ─claim(address)─▶ counted for its client ─release()─▶ free again
 *
 * Claiming comes later than taking where a proxy has to say first whose connection it is. Bounds: one entry per client
 * with an open connection, so at most as many as the connection cap; the pace of clients is `ArrivalPace`'s.
 */
import { addressBlock } from '../../kernel/ip-address.ts'
import { createArrivalPace } from './arrival-pace.ts'

export interface ConnectionCaps {
  readonly total: number
  /** Take a place for one connection. Null: all are taken. */
  take(limits: ConnectionLimits): ConnectionPlace | null
}

export interface ConnectionPlace {
  /** Count it for the client at this address. False: the client has, or opens, too many; call once. */
  claim(address: string, limits: ConnectionLimits): boolean
  /** Many clients stand behind this address: neither a cap nor a pace of one client applies. In place of `claim`. */
  share(address: string): void
  /** What counts as one client; empty until it is claimed or shared. */
  readonly client: string
  /** The client did harm on this connection: it may open fewer for a while. */
  punish(): void
  /** Give the place back; once. */
  release(): void
}

export interface ConnectionLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly newConnectionsPerSecond: number
}

/** One connection that did harm counts as so many seconds of the client's pace. */
const punishmentSeconds = 1

export function createConnectionCaps(now: () => number = () => performance.now()): ConnectionCaps {
  const openOf = new Map<string, number>()
  const pace = createArrivalPace(now)
  let total = 0

  function place(): ConnectionPlace {
    let client = ''
    let counted = false
    let perSecond = 0
    return {
      get client() {
        return client
      },
      claim(address, limits) {
        client = addressBlock(address)
        perSecond = limits.newConnectionsPerSecond
        const open = openOf.get(client) ?? 0
        if (open >= limits.connectionsPerAddress || !pace.pass(client, perSecond)) return false
        openOf.set(client, open + 1)
        counted = true
        return true
      },
      share(address) {
        client = addressBlock(address)
      },
      punish() {
        if (counted) pace.delay(client, punishmentSeconds * 1000)
      },
      release() {
        total -= 1
        if (!counted) return
        const open = openOf.get(client) ?? 0
        if (open <= 1) openOf.delete(client)
        else openOf.set(client, open - 1)
      },
    }
  }

  return {
    get total() {
      return total
    },
    take(limits) {
      if (total >= limits.connections) return null
      total += 1
      return place()
    },
  }
}
