/**
 * One coarse timer for many deadlines: entries sit in buckets of `tickMs`, one interval visits one bucket a tick.
 * Setting and clearing are O(1) and allocate nothing but the entry. Accuracy: fires between the asked time and
 * two ticks later. Bound: as many entries as there are owners; an owner holds at most one handle per deadline.
 *
 *   buckets  [0] [1] [2] … [n-1]     each a doubly linked list; far deadlines go round (`rounds`)
 */
export interface TimerHandle {
  /** Cancel; harmless when fired or cancelled already. */
  clear(): void
  /** Start anew with the same delay. */
  refresh(): void
}

export interface TimerWheel {
  set(delayMs: number, fire: () => void): TimerHandle
  stop(): void
}

const bucketCount = 512
/**
 * Ticks made up for in one go when the event loop was late. More are forgiven: after a long stall the data that
 * would have kept a deadline away may be waiting to be read.
 */
const maxTicksAtOnce = 4
/** Not in any bucket. */
const nowhere = -1

class Entry implements TimerHandle {
  readonly wheel: Wheel
  readonly delayMs: number
  readonly fire: () => void
  ticks = 0
  rounds = 0
  bucket = nowhere
  previous: Entry | null = null
  next: Entry | null = null

  constructor(wheel: Wheel, delayMs: number, fire: () => void) {
    this.wheel = wheel
    this.delayMs = delayMs
    this.fire = fire
  }

  clear(): void {
    this.wheel.unlink(this)
  }

  refresh(): void {
    this.wheel.unlink(this)
    this.wheel.link(this)
  }
}

class Wheel implements TimerWheel {
  readonly #tickMs: number
  readonly #heads: (Entry | null)[] = new Array<Entry | null>(bucketCount).fill(null)
  #position = 0
  #live = 0
  #interval: NodeJS.Timeout | null = null
  /** Monotone milliseconds at which the wheel stood at its position. */
  #turnedAt = 0

  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  set(delayMs: number, fire: () => void): TimerHandle {
    const entry = new Entry(this, delayMs, fire)
    this.link(entry)
    return entry
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval)
    this.#interval = null
  }

  link(entry: Entry): void {
    this.#turn()
    // Counted from where the wheel stands, which may be behind the clock; half a tick for the tolerance of `#catchUp`.
    const fromPosition = performance.now() - this.#turnedAt + entry.delayMs
    entry.ticks = Math.max(1, Math.ceil(fromPosition / this.#tickMs + 0.5))
    const slot = (this.#position + entry.ticks) % bucketCount
    const head = this.#heads[slot] ?? null
    entry.rounds = Math.floor((entry.ticks - 1) / bucketCount)
    entry.bucket = slot
    entry.previous = null
    entry.next = head
    if (head !== null) head.previous = entry
    this.#heads[slot] = entry
    this.#live += 1
  }

  /** Start turning, if the wheel stands still. */
  #turn(): void {
    if (this.#interval !== null) return
    this.#turnedAt = performance.now()
    this.#interval = setInterval(() => this.#catchUp(), this.#tickMs)
    this.#interval.unref()
  }

  unlink(entry: Entry): void {
    if (entry.bucket === nowhere) return
    if (entry.previous !== null) entry.previous.next = entry.next
    else this.#heads[entry.bucket] = entry.next
    if (entry.next !== null) entry.next.previous = entry.previous
    entry.previous = null
    entry.next = null
    entry.bucket = nowhere
    this.#live -= 1
  }

  #catchUp(): void {
    const now = performance.now()
    // Half a tick of tolerance: an interval that fires a moment early must not lose its turn.
    const passed = Math.floor((now - this.#turnedAt) / this.#tickMs + 0.5)
    const turns = Math.min(passed, maxTicksAtOnce)
    if (turns < passed) this.#turnedAt = now - turns * this.#tickMs
    for (let turn = 0; turn < turns; turn += 1) {
      // Position and time move together: callbacks set timers between two ticks of one go.
      this.#turnedAt += this.#tickMs
      this.#tick()
    }
    if (this.#live === 0) this.stop()
  }

  #tick(): void {
    this.#position = (this.#position + 1) % bucketCount
    for (const entry of this.#takeDue()) {
      // An earlier callback of this tick may have cleared or refreshed it.
      if (entry.bucket !== this.#position) continue
      this.unlink(entry)
      entry.fire()
    }
  }

  #takeDue(): Entry[] {
    const due: Entry[] = []
    for (let entry = this.#heads[this.#position] ?? null; entry !== null; entry = entry.next) {
      if (entry.rounds === 0) due.push(entry)
      else entry.rounds -= 1
    }
    return due
  }
}

/** @param tickMs resolution in milliseconds */
export function createTimerWheel(tickMs = 50): TimerWheel {
  return new Wheel(tickMs)
}
