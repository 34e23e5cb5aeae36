/**
 * What waits, by client, and whose turn it is: one of each client, then the second of each. Who brings a thousand
 * things at once waits for the last of them, and nobody waits for him.
 *
 *   a: 1 2 3 4 …      next(): a1 b1 c1 a2 c2 a3 a4 …
 *   b: 1              a client that was served goes to the end of the line
 *   c: 1 2
 *
 * Bounds: the caller's, who knows how much may wait.
 */
export interface ClientTurns<T> {
  readonly size: number
  add(client: string, item: T): void
  /** Undefined: nothing waits. */
  next(): T | undefined
}

interface Line<T> {
  readonly items: T[]
  /** Items before it were served. */
  first: number
}

/** Served items are dropped from the front of a line when they are so many. */
const droppedAtOnce = 64

export function createClientTurns<T>(): ClientTurns<T> {
  const lines = new Map<string, Line<T>>()
  let size = 0

  return {
    get size() {
      return size
    },
    add(client, item) {
      size += 1
      const line = lines.get(client)
      if (line === undefined) lines.set(client, { items: [item], first: 0 })
      else line.items.push(item)
    },
    next() {
      for (const [client, line] of lines) {
        const item = line.items[line.first]
        line.first += 1
        size -= 1
        lines.delete(client)
        if (line.first < line.items.length) {
          if (line.first === droppedAtOnce) {
            line.items.splice(0, droppedAtOnce)
            line.first = 0
          }
          lines.set(client, line)
        }
        return item
      }
      return undefined
    },
  }
}
