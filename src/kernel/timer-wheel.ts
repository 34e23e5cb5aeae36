/**
 * One coarse timer for many deadlines: entries sit in buckets of `tickMs`, one interval visits one bucket a tick.
 * Setting and clearing are O(1) and allocate nothing but the entry. Accuracy: fires between the asked time and
 * one tick later. Bound: as many entries as there are owners; an owner holds at most one handle per deadline.
 *
 *   buckets  [0] [1] [2] … [n-1]     each a doubly linked ring; far deadlines go round (`rounds`)
 */
export interface TimerHandle {
  /** Cancel; harmless when fired or cancelled already. */
  clear(): void
  /** Start anew with the same delay. */
  refresh(): void
}

interface Entry extends TimerHandle {
  rounds: number
  readonly ticks: number
  readonly fire: () => void
  previous: Entry | null
  next: Entry | null
  bucket: number
}

export interface TimerWheel {
  set(delayMs: number, fire: () => void): TimerHandle
  stop(): void
}

const bucketCount = 512

/** @param tickMs resolution in milliseconds */
export function createTimerWheel(tickMs = 50): TimerWheel {
  const heads: (Entry | null)[] = new Array<Entry | null>(bucketCount).fill(null)
  let position = 0
  let live = 0
  let interval: NodeJS.Timeout | null = null

  function link(entry: Entry): void {
    const slot = (position + entry.ticks) % bucketCount
    entry.rounds = Math.floor((entry.ticks - 1) / bucketCount)
    entry.bucket = slot
    entry.previous = null
    const head = heads[slot] ?? null
    entry.next = head
    if (head !== null) head.previous = entry
    heads[slot] = entry
    live += 1
  }

  function unlink(entry: Entry): void {
    if (entry.bucket < 0) return
    if (entry.previous !== null) entry.previous.next = entry.next
    else heads[entry.bucket] = entry.next
    if (entry.next !== null) entry.next.previous = entry.previous
    entry.previous = null
    entry.next = null
    entry.bucket = -1
    live -= 1
  }

  function tick(): void {
    position = (position + 1) % bucketCount
    let entry = heads[position] ?? null
    const due: Entry[] = []
    while (entry !== null) {
      if (entry.rounds === 0) due.push(entry)
      else entry.rounds -= 1
      entry = entry.next
    }
    for (const ready of due) {
      // An earlier callback of this tick may have cleared or refreshed it.
      if (ready.bucket !== position) continue
      unlink(ready)
      ready.fire()
    }
    if (live === 0 && interval !== null) {
      clearInterval(interval)
      interval = null
    }
  }

  function start(): void {
    if (interval !== null) return
    interval = setInterval(tick, tickMs)
    interval.unref()
  }

  return {
    set(delayMs, fire) {
      const entry: Entry = {
        rounds: 0,
        ticks: Math.max(1, Math.ceil(delayMs / tickMs) + 1),
        fire,
        previous: null,
        next: null,
        bucket: -1,
        clear: () => unlink(entry),
        refresh: () => {
          unlink(entry)
          link(entry)
          start()
        },
      }
      link(entry)
      start()
      return entry
    },
    stop() {
      if (interval !== null) clearInterval(interval)
      interval = null
    },
  }
}
