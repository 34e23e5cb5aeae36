/**
 * The order of one lane: who of those that wait for the same units is next.
 *
 *   class   critical ▸ high ▸ normal ▸ low     strict, with ageing: a class is judged by how long its oldest member has
 *   │                                          waited, less `ageingMs` for each class above it
 *   └ flow  a · b · c · …                      deficit round robin by weight: an application each
 *     └ members in order of arrival
 *
 * Strict classes keep interactive traffic quick however much bulk waits; ageing turns starvation into a bound: the
 * oldest of a class waits at most `ageingMs` longer per class than the oldest of a class above. Weighted classes would
 * give bulk its share while interactive traffic waits, which is what classes are there to prevent.
 *
 * Fairness (Shreedhar and Varghese 1995, §4): while two flows of one class have members waiting, what they were served,
 * each divided by its weight, differs by at most three times the largest cost. `next` and `leave` take amortised O(1).
 */
export interface LaneMember {
  /** Whom the lane is fair between. */
  readonly flow: string
  /** Share of the flow; 1 or more. */
  readonly weight: number
  /** 0 goes first. */
  readonly rank: number
  /** Units that serving it takes. */
  readonly cost: number
  /** Monotone milliseconds. */
  readonly enteredAt: number
}

export const laneRanks = 4
/** A class counts as waiting this much less, for each class above it. */
export const ageingMs = 2000

interface Flow<M> {
  readonly name: string
  /** Of the member that came last: a plan may have been changed. */
  weight: number
  /** Units that it may still take in this turn. */
  deficit: number
  hasTurn: boolean
  readonly members: Set<M>
}

/** Flows of one class; the first of the map has the turn. */
class LaneClass<M extends LaneMember> {
  readonly #flows = new Map<string, Flow<M>>()
  readonly #arrivals = new Set<M>()

  get oldest(): M | null {
    for (const member of this.#arrivals) return member
    return null
  }

  add(member: M): void {
    this.#arrivals.add(member)
    let flow = this.#flows.get(member.flow)
    if (flow === undefined) {
      flow = { name: member.flow, weight: 1, deficit: 0, hasTurn: false, members: new Set() }
      this.#flows.set(member.flow, flow)
    }
    flow.weight = Math.max(1, member.weight)
    flow.members.add(member)
  }

  /** @param quantum at least the largest cost in the lane, so that every turn serves somebody */
  next(quantum: number): M | null {
    for (;;) {
      const [flow] = this.#flows.values()
      if (flow === undefined) return null
      const [head] = flow.members
      if (head === undefined) return null
      if (!flow.hasTurn) {
        flow.hasTurn = true
        flow.deficit += quantum * flow.weight
      }
      if (head.cost <= flow.deficit) return head
      flow.hasTurn = false
      this.#flows.delete(flow.name)
      this.#flows.set(flow.name, flow)
    }
  }

  remove(member: M, wasServed: boolean): void {
    this.#arrivals.delete(member)
    const flow = this.#flows.get(member.flow)
    if (flow === undefined) return
    flow.members.delete(member)
    if (wasServed) flow.deficit -= member.cost
    // A flow without members keeps no claim on later turns.
    if (flow.members.size === 0) this.#flows.delete(flow.name)
  }
}

export class FairLane<M extends LaneMember> {
  readonly #classes: readonly LaneClass<M>[] = Array.from({ length: laneRanks }, () => new LaneClass<M>())
  readonly #members = new Set<M>()
  /** The largest cost since the lane was last empty. */
  #quantum = 0

  get size(): number {
    return this.#members.size
  }

  has(member: M): boolean {
    return this.#members.has(member)
  }

  add(member: M): void {
    this.#members.add(member)
    this.#quantum = Math.max(this.#quantum, member.cost)
    this.#classOf(member).add(member)
  }

  /** Who is next; the same as long as nobody enters or leaves and no class ages past another. */
  next(now: number): M | null {
    let chosen: LaneClass<M> | null = null
    let best = Number.NEGATIVE_INFINITY
    for (const [rank, members] of this.#classes.entries()) {
      const { oldest } = members
      if (oldest === null) continue
      const waited = now - oldest.enteredAt - rank * ageingMs
      if (waited <= best) continue
      best = waited
      chosen = members
    }
    return chosen?.next(this.#quantum) ?? null
  }

  /** The member was served, and what it cost is charged to its flow. */
  serve(member: M): void {
    this.#remove(member, true)
  }

  /** The member goes unserved. */
  leave(member: M): void {
    this.#remove(member, false)
  }

  #remove(member: M, wasServed: boolean): void {
    if (!this.#members.delete(member)) return
    this.#classOf(member).remove(member, wasServed)
    if (this.#members.size === 0) this.#quantum = 0
  }

  #classOf({ rank }: M): LaneClass<M> {
    const found = this.#classes[Math.min(laneRanks - 1, Math.max(0, rank))]
    if (found === undefined) throw new RangeError('a lane has a class for each rank')
    return found
  }
}
