/**
 * One lock word per shard, which holds its owner's number + 1, so that the locks of a thread that died can be told
 * and let go. Held for less than a microsecond; a thread that was suspended inside makes others wait, at most
 * `maxWaitMs`. Shards are taken in ascending order, so that no two threads wait for each other.
 */
import { lockStride } from './layout.ts'

const spinTurns = 2000
const waitStepMs = 1
export const maxWaitMs = 50

export class ShardLocks {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #mark: number

  constructor(words: Int32Array<SharedArrayBuffer>, owner: number) {
    this.#words = words
    this.#mark = owner + 1
  }

  /** False: not within `waitMs`. */
  lock(shard: number, waitMs = maxWaitMs): boolean {
    const word = shard * lockStride
    return Atomics.compareExchange(this.#words, word, 0, this.#mark) === 0 || this.#wait(word, waitMs)
  }

  unlock(shard: number): void {
    Atomics.store(this.#words, shard * lockStride, 0)
  }

  /** Lock the first `count` of `shards`, which ascend. False: none is locked. */
  lockAll(shards: Int32Array, count: number): boolean {
    for (let index = 0; index < count; index += 1) {
      if (this.lock(shards[index] ?? 0)) continue
      this.unlockAll(shards, index)
      return false
    }
    return true
  }

  unlockAll(shards: Int32Array, count: number): void {
    for (let index = 0; index < count; index += 1) this.unlock(shards[index] ?? 0)
  }

  /** Let go of all locks of `owner`, which has died. */
  release(owner: number): void {
    for (let word = 0; word < this.#words.length; word += lockStride) {
      Atomics.compareExchange(this.#words, word, owner + 1, 0)
    }
  }

  #wait(word: number, waitMs: number): boolean {
    for (let turn = 0; turn < spinTurns; turn += 1) {
      if (Atomics.compareExchange(this.#words, word, 0, this.#mark) === 0) return true
    }
    const deadline = performance.now() + waitMs
    while (performance.now() < deadline) {
      const holder = Atomics.load(this.#words, word)
      // Nobody notifies, because that would cost every unlock; the step bounds the wait.
      if (holder !== 0) Atomics.wait(this.#words, word, holder, waitStepMs)
      if (Atomics.compareExchange(this.#words, word, 0, this.#mark) === 0) return true
    }
    return false
  }
}
