/** The connections that a listener holds, those that are still entering included. Bound: the connection cap. */
export interface OpenConnection {
  drain(): void
  destroy(): void
}

export interface OpenConnections {
  readonly size: number
  add(connection: OpenConnection): void
  delete(connection: OpenConnection): void
  list(): readonly OpenConnection[]
  whenEmpty(done: () => void): void
}

export function createOpenConnections(): OpenConnections {
  const members = new Set<OpenConnection>()
  let emptied: (() => void) | null = null
  return {
    get size() {
      return members.size
    },
    add: (connection) => {
      members.add(connection)
    },
    delete(connection) {
      members.delete(connection)
      if (members.size === 0) emptied?.()
    },
    list: () => [...members],
    whenEmpty(done) {
      if (members.size === 0) done()
      else emptied = done
    },
  }
}
