/**
 * How many connections all threads of the process hold, in all and by client, in memory that they share.
 *
 *   head     key of the hash                                          16 bytes
 *   row      per thread: connections in all, then one cell for each hash of a client
 *
 * Each thread counts in a row of its own, and looks at the sum of all rows; the supervisor clears the row of a thread
 * that died. A place is counted before it is looked at, so that two threads never take the last one both; at the cap
 * both may be refused. Clients of one hash count together: with 32,768 cells under a secret key nobody chooses whose.
 */
import { randomFillSync } from 'node:crypto'
import type { ConnectionBoard } from '../../ports/listener.ts'
import { hashName } from '../shared-counters/hash-name.ts'

const headWords = 4
const cells = 32_768
/** The total, and as much as a cache line behind it. */
const totalWords = 16
const rowWords = totalWords + cells

/** @param threads that accept connections */
export function createConnectionBoard(threads: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(4 * (headWords + threads * rowWords))
  new Int32Array(buffer).set(randomFillSync(new Int32Array(headWords)))
  return buffer
}

/** Thread `thread` has ended, and its connections with it. */
export function clearConnections(buffer: SharedArrayBuffer, thread: number): void {
  const words = new Int32Array(buffer)
  const from = headWords + thread * rowWords
  for (let at = from; at < from + rowWords; at += 1) Atomics.store(words, at, 0)
}

/** @param thread its number on the board; nobody else uses it at the same time */
export function openConnectionBoard(buffer: SharedArrayBuffer, thread: number): ConnectionBoard {
  const words = new Int32Array(buffer)
  const key = words.slice(0, headWords)
  const hash = new Int32Array(4)
  const own = headWords + thread * rowWords

  function sumOf(offset: number): number {
    let sum = 0
    for (let at = headWords + offset; at < words.length; at += rowWords) sum += Atomics.load(words, at)
    return sum
  }
  function enter(offset: number, most: number): boolean {
    Atomics.add(words, own + offset, 1)
    if (sumOf(offset) <= most) return true
    Atomics.sub(words, own + offset, 1)
    return false
  }
  function cellOf(client: string): number {
    hashName(client, key, hash)
    return totalWords + ((hash[0] ?? 0) & (cells - 1))
  }
  return {
    get total() {
      return sumOf(0)
    },
    enter: (most) => enter(0, most),
    leave: () => void Atomics.sub(words, own, 1),
    enterClient: (client, most) => enter(cellOf(client), most),
    leaveClient: (client) => void Atomics.sub(words, own + cellOf(client), 1),
  }
}
