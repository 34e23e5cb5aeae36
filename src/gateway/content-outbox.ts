/**
 * Content on its way to the control plane. Bound: `maxHeldBytes` that the control plane has not acknowledged; beyond
 * it content is dropped, and said to be. It is not sent again: a control plane that went away takes what it had.
 */
import type { ContentRecord } from '../domain/content.ts'

export interface ContentOutbox {
  /** False: it was dropped. */
  add(record: ContentRecord): boolean
  /** The control plane is done with record number `sequence`. */
  acknowledge(sequence: number): void
  connect(send: (sequence: number, record: ContentRecord) => void): void
}

const defaultMaxHeldBytes = 33_554_432

export function createContentOutbox(maxHeldBytes: number = defaultMaxHeldBytes): ContentOutbox {
  const held = new Map<number, number>()
  let heldBytes = 0
  let sequence = 0
  let send: ((sequence: number, record: ContentRecord) => void) | null = null
  return {
    add(record) {
      const size = record.request.kept.byteLength + record.response.kept.byteLength
      if (send === null || heldBytes + size > maxHeldBytes) return false
      sequence += 1
      held.set(sequence, size)
      heldBytes += size
      send(sequence, record)
      return true
    },
    acknowledge(number) {
      heldBytes -= held.get(number) ?? 0
      held.delete(number)
    },
    connect(sender) {
      send = sender
      held.clear()
      heldBytes = 0
    },
  }
}
