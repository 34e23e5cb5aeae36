/**
 * Tells one store of central counters what a node reports of its leases. When an answer is lost, the same report goes
 * again under the same name before anything new is told, so that a store that takes a report once counts it once. Other
 * stores may count what was spent twice then; units that were given back stay away from them, and count as spent.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { CentralCounters, CounterEntry } from '../ports/central-counters.ts'
import type { LeaseReport, NodeCounters } from '../ports/node-counters.ts'

const maxPartsPerCall = 512

/** One call of the store. */
interface Telling {
  readonly name: string
  readonly what: 'spent' | 'debt'
  readonly reports: readonly LeaseReport[]
}

export class LeaseTeller {
  readonly central: CentralCounters
  readonly #counters: NodeCounters
  readonly #clock: Clock
  /** Nobody knows whether it arrived. */
  #doubtful: Telling | null = null

  constructor(central: CentralCounters, { counters, clock }: { counters: NodeCounters; clock: Clock }) {
    this.central = central
    this.#counters = counters
    this.#clock = clock
  }

  /** Settle what is in doubt. False: the store cannot be reached, and nothing new may be told. */
  async catchUp(): Promise<boolean> {
    if (this.#doubtful === null) return true
    return this.#tryTo(() => (this.#doubtful === null ? Promise.resolve() : this.#send(this.#doubtful)))
  }

  /** Only after `catchUp`. What could not be told stays in the counters, or in doubt. False: not all was told. */
  tell(reports: readonly LeaseReport[]): Promise<boolean> {
    return this.#tryTo(async () => {
      for (const telling of tellingsOf(reports)) await this.#send(telling)
    })
  }

  async #tryTo(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch {
      return false
    }
  }

  async #send(telling: Telling): Promise<void> {
    const { name, what, reports } = telling
    if (this.central.takesReportsOnce) this.#doubtful = telling
    if (what === 'spent') {
      const parts = reports.map(({ key, terms, spent, returned }) => ({ key, terms, spent, returned }))
      await this.central.settle(parts, name)
    } else {
      const entries = reports.map(({ key, terms, debt }): CounterEntry => ({ key, terms, units: debt }))
      await this.central.adjust(entries, name)
    }
    this.#doubtful = null
    const now = this.#clock.now()
    for (const report of reports) this.#counters.reported(report, what, now)
  }
}

function tellingsOf(reports: readonly LeaseReport[]): readonly Telling[] {
  const settled = reports.filter(({ spent, returned }) => spent > 0 || returned > 0)
  const owed = reports.filter(({ debt }) => debt !== 0)
  return [
    ...batchesOf(settled).map((batch): Telling => ({ name: randomUUID(), what: 'spent', reports: batch })),
    ...byHashTag(owed).map((group): Telling => ({ name: randomUUID(), what: 'debt', reports: group })),
  ]
}

function batchesOf(reports: readonly LeaseReport[]): readonly (readonly LeaseReport[])[] {
  const batches: LeaseReport[][] = []
  for (let start = 0; start < reports.length; start += maxPartsPerCall) {
    batches.push(reports.slice(start, start + maxPartsPerCall))
  }
  return batches
}

/** Entries of one adjustment share their hash tag, the organization. */
function byHashTag(reports: readonly LeaseReport[]): readonly (readonly LeaseReport[])[] {
  return [...Map.groupBy(reports, ({ key }) => key.slice(0, key.indexOf('}') + 1)).values()]
}
