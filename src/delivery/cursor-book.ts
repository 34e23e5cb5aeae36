/** Places in logs, by name, kept in the store beside those of the sums of usage. One writer per name: this node. */
import type { EventCursor } from '../ports/event-log.ts'
import type { UsageStore } from '../ports/usage-store.ts'

export interface CursorBook {
  read(name: string): Promise<EventCursor | null>
  save(name: string, cursor: EventCursor): Promise<void>
}

/** `prefix` tells the nodes of a shared store apart. */
export function openCursorBook(store: Pick<UsageStore, 'readCursor' | 'apply'>, prefix: string): CursorBook {
  return {
    read: (name) => store.readCursor(`${prefix}/${name}`),
    async save(name, cursor) {
      const cursorName = `${prefix}/${name}`
      const expected = await store.readCursor(cursorName)
      if (expected !== cursor) await store.apply({ cursorName, expected, cursor, rollups: [] })
    },
  }
}
