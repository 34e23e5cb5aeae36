/**
 * Events as they happen, for those who watch: a ring of the latest, and a buffer for each subscriber.
 *
 *   publish ──▶ ring (resume) ──▶ filter ──▶ buffer of each subscriber ──▶ read
 *
 * Nobody who reads slowly holds up anybody: its buffer loses the oldest, and it is told how many. Bounds: `ringSize`
 * events, `maxSubscribers` subscribers, `bufferSize` events for each. A node's own events only.
 */
import { randomBytes } from 'node:crypto'
import type { OversightEvent } from '../domain/oversight-event.ts'

export interface LiveEntry {
  /** Where to go on: `<hub>-<number>`. */
  readonly place: string
  readonly event: OversightEvent
}

/** Read too slowly · came back after more than the ring holds · the place is of a hub before this one. */
export type GapReason = 'slow' | 'late' | 'restart'

export interface LiveBatch {
  /** Events that were lost before `entries`; null: an unknown number. */
  readonly lost: number | null
  /** Why, where some were lost. */
  readonly reason: GapReason
  readonly entries: readonly LiveEntry[]
  /** The hub was closed, or the subscription: there is no more. */
  readonly ended: boolean
}

export interface LiveSubscription {
  /** What came since the last call; waits at most `waitMs` for the first event. One call at a time. */
  read(waitMs: number): Promise<LiveBatch>
  close(): void
}

export interface LiveRequest {
  readonly wants: (event: OversightEvent) => boolean
  /** Place of the last event that was seen, or null. */
  readonly after: string | null
}

export interface LiveHub {
  publish(event: OversightEvent): void
  /** Null: there are as many subscribers as may be. */
  subscribe(request: LiveRequest): LiveSubscription | null
  /** True while somebody watches, and shortly after, so that who reconnects misses nothing. */
  isWatched(): boolean
  close(): void
}

export interface LiveHubOptions {
  readonly ringSize?: number
  readonly bufferSize?: number
  readonly maxSubscribers?: number
  /** How long events are still gathered after the last subscriber left, milliseconds. */
  readonly lingerMs?: number
  readonly monotonic: () => number
}

interface Subscriber {
  readonly wants: LiveRequest['wants']
  buffer: LiveEntry[]
  lost: number | null
  reason: GapReason
  /** Ends the wait of the reader. */
  wake: (() => void) | null
  ended: boolean
}

class Ring {
  readonly #entries: LiveEntry[] = []
  readonly #size: number
  readonly #prefix = randomBytes(6).toString('hex')
  #count = 0

  constructor(size: number) {
    this.#size = size
  }

  add(event: OversightEvent): LiveEntry {
    const entry = { place: `${this.#prefix}-${this.#count}`, event }
    this.#entries[this.#count % this.#size] = entry
    this.#count += 1
    return entry
  }

  /** What came after a place; `gap` says why some of it is not there, null: all of it is. */
  after(place: string): { readonly entries: readonly LiveEntry[]; readonly gap: GapReason | null } {
    const [prefix, number] = place.split('-')
    const isOurs = prefix === this.#prefix && /^[0-9]{1,15}$/.test(number ?? '')
    if (!isOurs || Number(number) >= this.#count) return { entries: [], gap: 'restart' }
    const oldest = Math.max(0, this.#count - this.#size)
    const first = Number(number) + 1
    const entries: LiveEntry[] = []
    for (let at = Math.max(first, oldest); at < this.#count; at += 1) {
      const entry = this.#entries[at % this.#size]
      if (entry !== undefined) entries.push(entry)
    }
    return { entries, gap: first >= oldest ? null : 'late' }
  }
}

export function createLiveHub(options: LiveHubOptions): LiveHub {
  const { ringSize = 1000, bufferSize = 500, maxSubscribers = 32, lingerMs = 60_000, monotonic } = options
  const ring = new Ring(ringSize)
  const subscribers = new Set<Subscriber>()
  let leftAt: number | null = null
  let isClosed = false

  function give(subscriber: Subscriber, entry: LiveEntry): void {
    if (!subscriber.wants(entry.event)) return
    subscriber.buffer.push(entry)
    if (subscriber.buffer.length > bufferSize) {
      subscriber.buffer.shift()
      if (subscriber.lost !== null) subscriber.lost += 1
    }
    subscriber.wake?.()
  }

  function end(subscriber: Subscriber): void {
    if (subscribers.delete(subscriber)) leftAt = monotonic()
    subscriber.ended = true
    subscriber.wake?.()
  }

  function open({ wants, after }: LiveRequest): Subscriber {
    const subscriber: Subscriber = {
      wants,
      buffer: [],
      lost: 0,
      reason: 'slow',
      wake: null,
      ended: false,
    }
    if (after === null) return subscriber
    const { entries, gap } = ring.after(after)
    for (const entry of entries) give(subscriber, entry)
    if (gap !== null) {
      subscriber.lost = null
      subscriber.reason = gap
    }
    return subscriber
  }

  return {
    publish(event) {
      const entry = ring.add(event)
      for (const subscriber of subscribers) give(subscriber, entry)
    },
    subscribe(request) {
      if (isClosed || subscribers.size >= maxSubscribers) return null
      const subscriber = open(request)
      subscribers.add(subscriber)
      return { read: (waitMs) => read(subscriber, waitMs), close: () => end(subscriber) }
    },
    isWatched: () => subscribers.size > 0 || (leftAt !== null && monotonic() - leftAt < lingerMs),
    close() {
      isClosed = true
      for (const subscriber of subscribers) end(subscriber)
    },
  }
}

async function read(subscriber: Subscriber, waitMs: number): Promise<LiveBatch> {
  const isIdle = subscriber.buffer.length === 0 && subscriber.lost === 0 && !subscriber.ended
  if (isIdle) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      subscriber.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    subscriber.wake = null
  }
  const { lost, reason, buffer: entries, ended } = subscriber
  subscriber.buffer = []
  subscriber.lost = 0
  subscriber.reason = 'slow'
  return { lost, reason, entries, ended }
}
