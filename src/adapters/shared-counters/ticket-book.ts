/**
 * The holds of one owner: slot and units of each, in shared memory, so that they can be let go of when the thread
 * dies; units below zero count as used then. Which tickets are free only the owner knows. Ticket 0 stands for none.
 */
import { type CounterViews, ticketNumbers } from './layout.ts'

export class TicketBook {
  readonly #tickets: Float64Array<SharedArrayBuffer>
  readonly #base: number
  readonly #size: number
  readonly #free: Int32Array
  #freeCount = 0
  #fresh = 1

  constructor(views: CounterViews, owner: number) {
    this.#tickets = views.tickets
    this.#size = views.sizes.tickets
    this.#base = owner * this.#size * ticketNumbers
    this.#free = new Int32Array(this.#size)
  }

  hasRoom(count: number): boolean {
    return this.#freeCount + this.#size - this.#fresh >= count
  }

  /** A free ticket; call only while there is room. */
  take(): number {
    if (this.#freeCount > 0) {
      this.#freeCount -= 1
      return this.#free[this.#freeCount] ?? 0
    }
    this.#fresh += 1
    return this.#fresh - 1
  }

  giveBack(ticket: number): void {
    this.#free[this.#freeCount] = ticket
    this.#freeCount += 1
  }

  write(ticket: number, slot: number, units: number): void {
    this.#tickets[this.#base + ticket * ticketNumbers] = slot
    this.#tickets[this.#base + ticket * ticketNumbers + 1] = units
  }
}
