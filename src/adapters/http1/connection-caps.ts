/**
 * How many connections a process holds, in all and for each client, and how fast one client may open new ones here.
 * A client is a block of addresses: one IPv4 address or the /64 of an IPv6 one.
 *
 *   accept ─take()─▶ place ─claim(address)─▶ counted for its client ─release()─▶ free again
 *
 * Claiming comes later than taking where a proxy has to say first whose connection it is. Bounds: those of the board
 * on which threads count together; the pace of clients is `ArrivalPace`'s, and this listener's alone.
 */
import { addressBlock } from '../../kernel/ip-address.ts'
import type { ConnectionBoard } from '../../ports/listener.ts'
import { createArrivalPace } from './arrival-pace.ts'
import { createConnectionBoard, openConnectionBoard } from './connection-board.ts'

export interface ConnectionCaps {
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

export interface ConnectionCapsOptions {
  /** Absent: nobody else counts. */
  readonly board?: ConnectionBoard | undefined
  readonly now?: () => number
}

export function createConnectionCaps(options: ConnectionCapsOptions = {}): ConnectionCaps {
  const board = options.board ?? openConnectionBoard(createConnectionBoard(1), 0)
  const pace = createArrivalPace(options.now ?? (() => performance.now()))

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
        if (!board.enterClient(client, limits.connectionsPerAddress)) return false
        counted = pace.pass(client, perSecond)
        if (!counted) board.leaveClient(client)
        return counted
      },
      share(address) {
        client = addressBlock(address)
      },
      punish() {
        if (counted) pace.delay(client, punishmentSeconds * 1000)
      },
      release() {
        board.leave()
        if (counted) board.leaveClient(client)
      },
    }
  }

  return {
    take: (limits) => (board.enter(limits.connections) ? place() : null),
  }
}
