/**
 * After the end of a thread: take back what its last move had changed, let go of its locks, then of its holds, or
 * count them where that was noted. The dead change nothing any more, so its undo record and tickets can be read
 * without a lock; slots are changed under theirs. Done by one at a time.
 */
import {
  at,
  type CounterViews,
  headRecovery,
  level,
  pending,
  rate,
  slotNumbers,
  spent,
  ticketNumbers,
} from './layout.ts'
import type { CounterParts } from './lease-cards.ts'
import { idleFrom, leaseIdleFrom, levelAt } from './slot-state.ts'
import { UndoRecord } from './undo-record.ts'

const waitStepMs = 1
/** A thread that lives lets go of a lock by then; one that died has to be cleared up after first. */
const patienceMs = 500

export function clearUpAfter(owner: number, now: number, counters: CounterParts): boolean {
  const { head, sizes } = counters.views
  while (Atomics.compareExchange(head, headRecovery, 0, 1) !== 0) {
    Atomics.wait(head, headRecovery, 1, waitStepMs)
  }
  try {
    new UndoRecord(counters.views, owner).rollBack()
    counters.locks.release(owner)
    const base = owner * sizes.tickets * ticketNumbers
    for (let ticket = 1; ticket < sizes.tickets; ticket += 1) {
      const place = base + ticket * ticketNumbers
      if ((counters.views.tickets[place + 1] ?? 0) !== 0 && !letGo(place, now, counters)) return false
    }
    return true
  } finally {
    Atomics.store(head, headRecovery, 0)
  }
}

function letGo(place: number, now: number, { views, locks, slots, undo }: CounterParts): boolean {
  const slot = views.tickets[place] ?? 0
  const shard = Math.floor(slot / (views.sizes.slots / views.shards))
  if (!locks.lock(shard, patienceMs)) return false
  const noted = views.tickets[place + 1] ?? 0
  const units = Math.abs(noted)
  const base = slot * slotNumbers
  const isLeased = slots.isLeased(slot)
  undo.note(slot, 0)
  views.slots[base + pending] = Math.max(0, (views.slots[base + pending] ?? 0) - units)
  if (noted < 0) countAsUsed(views, base, { units, now, isLeased })
  else if (isLeased) views.slots[base + level] = (views.slots[base + level] ?? 0) + units
  views.idleAt[slot] = isLeased ? leaseIdleFrom(views, slot, now) : idleFrom(views, slot, now)
  views.tickets[place + 1] = 0
  undo.commit()
  locks.unlock(shard)
  return true
}

/** Of a leased counter they have left the balance already. */
function countAsUsed(
  views: CounterViews,
  base: number,
  { units, now, isLeased }: { readonly units: number; readonly now: number; readonly isLeased: boolean },
): void {
  const { slots } = views
  if (isLeased) {
    slots[base + spent] = (slots[base + spent] ?? 0) + units
    return
  }
  const slot = base / slotNumbers
  slots[base + level] = levelAt(views, slot, { rate: slots[base + rate] ?? 0, now }) + units
  slots[base + at] = Math.max(slots[base + at] ?? 0, now)
}
