/**
 * Request ids seen lately, in two generations: the older one is dropped when the younger is full. Remembers at
 * least the last `generationSize` ids and at most twice as many. A worker repeats only batches that were not
 * acknowledged, which are fewer.
 *
 * An id is kept as its generator's stem and a number (about 20 bytes; 5 MB in all). Kept as text it would be a slice
 * that holds on to the whole batch from which it was cut: measured 180 MB.
 */
import { splitRequestId } from '../kernel/ids.ts'
import type { EventCursor } from '../ports/event-log.ts'

export const generationSize = 131_072

export interface IdWindow {
  /** True when the id was not in the window; it is then. */
  add(id: string): boolean
  /** To be called before each frame with its place: generations begin at frames. */
  beginFrame(cursor: EventCursor | null): void
  /** Reading from here rebuilds the window; null: from the oldest frame. */
  start(): EventCursor | null
}

/** A text of its own, which holds on to no other. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

class Generation {
  readonly #counts = new Map<string, Set<number>>()
  readonly #others = new Set<string>()
  size = 0

  has(id: string): boolean {
    const parts = splitRequestId(id)
    return parts === null ? this.#others.has(id) : this.#counts.get(parts.stem)?.has(parts.count) === true
  }

  /** True when it was not there. */
  add(id: string): boolean {
    const parts = splitRequestId(id)
    const isNew = parts === null ? addNew(this.#others, id, copyOf) : this.#addCount(parts)
    if (isNew) this.size += 1
    return isNew
  }

  #addCount({ stem, count }: { readonly stem: string; readonly count: number }): boolean {
    let counts = this.#counts.get(stem)
    if (counts === undefined) {
      counts = new Set()
      this.#counts.set(copyOf(stem), counts)
    }
    return addNew(counts, count)
  }
}

function addNew<T>(set: Set<T>, value: T, keep: (value: T) => T = (same) => same): boolean {
  if (set.has(value)) return false
  set.add(keep(value))
  return true
}

export function createIdWindow(start: EventCursor | null, size = generationSize): IdWindow {
  let older = new Generation()
  let younger = new Generation()
  let olderStart = start
  let youngerStart = start
  return {
    add: (id) => younger.add(id) && !older.has(id),
    beginFrame(cursor) {
      if (younger.size < size) return
      older = younger
      olderStart = youngerStart
      younger = new Generation()
      youngerStart = cursor
    },
    start: () => olderStart,
  }
}
