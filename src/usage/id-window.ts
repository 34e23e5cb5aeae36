/**
 * Request ids seen lately, in two generations: the older one is dropped when the younger is full. Remembers at
 * least the last `generationSize` ids and at most twice as many (about 20 MB). A worker repeats only batches that
 * were not acknowledged, which are fewer.
 */
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

export function createIdWindow(start: EventCursor | null, size = generationSize): IdWindow {
  let older = new Set<string>()
  let younger = new Set<string>()
  let olderStart = start
  let youngerStart = start
  return {
    add(id) {
      const before = younger.size
      younger.add(id)
      return younger.size > before && !older.has(id)
    },
    beginFrame(cursor) {
      if (younger.size < size) return
      older = younger
      olderStart = youngerStart
      younger = new Set()
      youngerStart = cursor
    },
    start: () => olderStart,
  }
}
