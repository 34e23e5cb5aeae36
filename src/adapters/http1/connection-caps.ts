/**
 * Counts of open connections, in all and by address. Bound: one map entry per address with an open connection,
 * so at most as many as the connection cap.
 */
export interface ConnectionCaps {
  readonly total: number
  /** Take a place. False: a cap is reached. */
  admit(address: string, limits: ConnectionLimits): boolean
  /** Give the place back; once per admitted connection. */
  release(address: string): void
}

export interface ConnectionLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
}

export function createConnectionCaps(): ConnectionCaps {
  const byAddress = new Map<string, number>()
  let total = 0

  return {
    get total() {
      return total
    },
    admit(address, limits) {
      const open = byAddress.get(address) ?? 0
      if (total >= limits.connections || open >= limits.connectionsPerAddress) return false
      byAddress.set(address, open + 1)
      total += 1
      return true
    },
    release(address) {
      const open = byAddress.get(address) ?? 0
      if (open <= 1) byAddress.delete(address)
      else byAddress.set(address, open - 1)
      total -= 1
    },
  }
}
