/**
 * What a move is about to change, noted before each change, so that a thread that dies inside leaves nothing half
 * done. Only its owner writes it; who clears up after a dead owner reads it.
 *
 *   note (slot, ticket, their numbers) → count + 1 → change … → count 0: the move is done
 */
import { maxCounterParts } from '../../ports/node-counters.ts'
import {
  at,
  type CounterViews,
  level,
  lockStride,
  pending,
  slotNumbers,
  spent,
  ticketNumbers,
  undoNumbers,
} from './layout.ts'

const undoSlot = 0
const undoTicket = 1
const undoLevel = 2
const undoAt = 3
const undoPending = 4
const undoSpent = 5
const undoIdleAt = 6
const undoTicketSlot = 7
const undoTicketUnits = 8

export class UndoRecord {
  readonly #views: CounterViews
  readonly #owner: number
  #count = 0

  constructor(views: CounterViews, owner: number) {
    this.#views = views
    this.#owner = owner
  }

  /** Call before `slot`, and `ticket` of the same owner (0: none), are changed. */
  note(slot: number, ticket: number): void {
    const { slots, idleAt, tickets, undo, undoCounts } = this.#views
    const entry = (this.#owner * maxCounterParts + this.#count) * undoNumbers
    const base = slot * slotNumbers
    const place = this.#ticketPlace(ticket)
    undo[entry + undoSlot] = slot
    undo[entry + undoTicket] = ticket
    undo[entry + undoLevel] = slots[base + level] ?? 0
    undo[entry + undoAt] = slots[base + at] ?? 0
    undo[entry + undoPending] = slots[base + pending] ?? 0
    undo[entry + undoSpent] = slots[base + spent] ?? 0
    undo[entry + undoIdleAt] = idleAt[slot] ?? 0
    undo[entry + undoTicketSlot] = tickets[place] ?? 0
    undo[entry + undoTicketUnits] = tickets[place + 1] ?? 0
    this.#count += 1
    Atomics.store(undoCounts, this.#owner * lockStride, this.#count)
  }

  /** All changes are made. */
  commit(): void {
    this.#count = 0
    Atomics.store(this.#views.undoCounts, this.#owner * lockStride, 0)
  }

  /** Put back what a dead owner had changed; its locks are still held. */
  rollBack(): void {
    const { slots, idleAt, tickets, undo, undoCounts } = this.#views
    const count = Atomics.load(undoCounts, this.#owner * lockStride)
    for (let index = count - 1; index >= 0; index -= 1) {
      const entry = (this.#owner * maxCounterParts + index) * undoNumbers
      const slot = undo[entry + undoSlot] ?? 0
      const base = slot * slotNumbers
      slots[base + level] = undo[entry + undoLevel] ?? 0
      slots[base + at] = undo[entry + undoAt] ?? 0
      slots[base + pending] = undo[entry + undoPending] ?? 0
      slots[base + spent] = undo[entry + undoSpent] ?? 0
      idleAt[slot] = undo[entry + undoIdleAt] ?? 0
      const ticket = undo[entry + undoTicket] ?? 0
      if (ticket === 0) continue
      const place = this.#ticketPlace(ticket)
      tickets[place] = undo[entry + undoTicketSlot] ?? 0
      tickets[place + 1] = undo[entry + undoTicketUnits] ?? 0
    }
    this.commit()
  }

  /** Ticket 0 is nobody's. */
  #ticketPlace(ticket: number): number {
    return (this.#owner * this.#views.sizes.tickets + ticket) * ticketNumbers
  }
}
