/**
 * What request bodies may hold of a worker's memory, all together and per API key. Without it, connections times the
 * bound of one body would be the only limit, and one key that sends slowly could take the process down for all.
 * A body counts from when it is announced, or as it grows, until its exchange ends.
 */
export interface BodyHolder {
  heldBytes: number
}

export interface BodyBudget {
  /** Bytes counted now. */
  readonly heldBytes: number
  /** Count `bytes` for `holder`. False: there is no room, and nothing was counted. */
  take(holder: BodyHolder, bytes: number): boolean
  give(holder: BodyHolder, bytes: number): void
}

export interface BodyBudgetBounds {
  readonly totalBytes: number
  readonly keyBytes: number
}

/** Of one worker: 2,000 requests of 100 KB by one key are within it. */
export const defaultBodyBudget: BodyBudgetBounds = Object.freeze({
  totalBytes: 805_306_368,
  keyBytes: 268_435_456,
})

export function createBodyBudget(bounds: BodyBudgetBounds = defaultBodyBudget): BodyBudget {
  let held = 0
  return {
    get heldBytes() {
      return held
    },
    take(holder, bytes) {
      // A single body always fits, whatever the bound of bodies is set to.
      if (held > 0 && held + bytes > bounds.totalBytes) return false
      if (holder.heldBytes > 0 && holder.heldBytes + bytes > bounds.keyBytes) return false
      held += bytes
      holder.heldBytes += bytes
      return true
    },
    give(holder, bytes) {
      held -= bytes
      holder.heldBytes -= bytes
    },
  }
}
