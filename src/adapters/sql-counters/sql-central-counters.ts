/**
 * CentralCounters in the SQL store's database: durable, for money and budgets. Each call is a transaction that locks
 * its counters in the order of their names, so that no update is lost and no two calls wait for each other; the same
 * statements run on SQLite and PostgreSQL.
 *
 * A process that is killed loses its leases and nothing else: they were debited when they were leased, and stay so.
 * When an answer is lost, with the database or the way to it, nothing counts twice: a report that is sent again is known
 * by its name, and a lease that nobody heard of goes back with the next call (`lease-memory.ts`).
 * Bounds: `countersAtOnce` in one transaction; counters that say nothing any more are removed by whoever renews.
 */
import type { RawBuilder } from 'kysely'
import type {
  CentralCounters,
  CounterEntry,
  CounterKey,
  CounterStanding,
  CounterTerms,
  LeaseGrant,
  LeasePart,
  LeaseRequest,
  TakeOutcome,
} from '../../ports/central-counters.ts'
import {
  type CounterState,
  drain,
  grantLease,
  keepMsOf,
  settleLease,
  shift,
  standingOf,
  storedKeyOf,
  takeAll,
} from '../../ports/central-counters-arithmetic.ts'
import type { Database } from '../sql-store/database.ts'
import { countersTable, leasesTable, nodesTable } from './counter-tables.ts'
import { LeaseMemory } from './lease-memory.ts'
import { createNodeRegister, type NodeRegister, type NodeRegisterOptions } from './node-register.ts'

export type SqlCountersOptions = NodeRegisterOptions

const countersAtOnce = 64

/** A counter that is locked by the transaction under way. */
interface LockedCounter extends CounterState {
  readonly name: string
  readonly terms: CounterTerms
  /** Of this node. */
  leased: number
  /** Of other nodes. */
  readonly leasedElsewhere: number
}

/** Thrown to roll back, so that a refusal changes nothing and costs no write. */
class Refusal extends Error {
  readonly outcome: TakeOutcome
  constructor(outcome: TakeOutcome) {
    super('refused')
    this.outcome = outcome
  }
}

class SqlCentralCounters implements CentralCounters {
  readonly takesReportsOnce = true
  readonly #db: Database
  readonly #node: string
  readonly #serverTime: RawBuilder<number>
  readonly #register: NodeRegister
  readonly #ttlMs: number
  readonly #memory = new LeaseMemory()

  constructor(db: Database, options: SqlCountersOptions) {
    this.#db = db
    this.#node = options.node
    this.#ttlMs = options.ttlMs
    this.#serverTime = options.serverTime
    this.#register = createNodeRegister(db, options)
  }

  async take(entries: readonly CounterEntry[]): Promise<TakeOutcome> {
    await this.#register.live()
    try {
      return await this.#change(entries, (counterOf) => {
        const demands = entries.map((entry) => ({ ...entry, state: counterOf(entry) }))
        const outcome = takeAll(demands)
        if (!outcome.taken) throw new Refusal(outcome)
        for (const { state, units } of demands) hold(state, units)
        return outcome
      })
    } catch (error) {
      if (error instanceof Refusal) return error.outcome
      throw error
    }
  }

  async adjust(entries: readonly CounterEntry[], report?: string): Promise<void> {
    await this.#register.live()
    const change = (counterOf: CounterOf): void => {
      for (const entry of entries) {
        const counter = counterOf(entry)
        const isSlot = entry.terms.kind === 'concurrency'
        const units = isSlot ? Math.max(entry.units, -counter.leased) : entry.units
        shift(counter, units)
        hold(counter, units)
      }
    }
    await this.#change(entries, change, partOf(report, { part: 0, repeated: () => undefined }))
  }

  async lease(requests: readonly LeaseRequest[]): Promise<readonly LeaseGrant[]> {
    const nodes = await this.#register.live()
    const grants: LeaseGrant[] = []
    for (const some of chunksOf(requests)) {
      const grantAll = (counterOf: CounterOf): LeaseGrant[] =>
        some.map((request) => {
          const counter = counterOf(request)
          const grant = grantLease(counter, request.terms, request)
          counter.leased += grant.units
          return { ...grant, ttlMs: this.#ttlMs, nodes }
        })
      grants.push(...(await this.#change(some, grantAll)))
    }
    return grants
  }

  async settle(parts: readonly LeasePart[], report?: string): Promise<void> {
    await this.#register.live()
    for (const [part, some] of chunksOf(parts).entries()) {
      const settleAll = (counterOf: CounterOf): void => {
        for (const { key, terms, spent, returned } of some) {
          const counter = counterOf({ key, terms })
          counter.leased = settleLease(counter, terms, { outstanding: counter.leased, spent, returned })
        }
      }
      const repeated = (): void => {
        for (const { key, terms, spent, returned } of some)
          this.#memory.settled(storedKeyOf(key, terms), spent + returned)
      }
      await this.#change(some, settleAll, partOf(report, { part, repeated }))
    }
  }

  renew(): Promise<number> {
    return this.#register.live()
  }

  forget(): Promise<void> {
    return this.#register.forget()
  }

  async read(keys: readonly CounterKey[]): Promise<readonly CounterStanding[]> {
    const standings: CounterStanding[] = []
    for (const some of chunksOf(keys)) standings.push(...(await this.#readSome(some)))
    return standings
  }

  /** The database belongs to the store, which closes it. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  async #readSome(keys: readonly CounterKey[]): Promise<CounterStanding[]> {
    const names = [...namesOf(keys).keys()]
    const rows = await this.#db
      .selectFrom(countersTable)
      .select(['key', 'units', 'at', this.#serverTime.as('now')])
      .where('key', 'in', names)
      .execute()
    const leases = await this.#readLeases(this.#db, names)
    return keys.map((key) => {
      const name = storedKeyOf(key.key, key.terms)
      const counter = this.#counterOf(key.terms, {
        name,
        row: rows.find((row) => row['key'] === name),
        leases,
      })
      return standingOf(counter, key.terms)
    })
  }

  /** Runs `change` on the counters of `keys`, locked; stores what it leaves. */
  #change<T>(
    keys: readonly CounterKey[],
    change: (counterOf: CounterOf) => T,
    report: ReportPart<T> | null = null,
  ): Promise<T> {
    if (keys.length === 0) return Promise.resolve(change(neverCounter))
    const terms = namesOf(keys)
    return this.#memory.during([...terms.keys()], async () => {
      const { result, leases } = await this.#db.transaction().execute(async (transaction) => {
        const counters = await this.#lock(transaction, terms)
        if (report !== null && (await this.#wasTaken(transaction, report)))
          return { result: report.repeated(), leases: [] }
        return this.#changeLocked(transaction, [...counters.values()], () =>
          change((key) => counters.get(storedKeyOf(key.key, key.terms)) ?? neverCounter(key)),
        )
      })
      for (const each of leases) this.#memory.learn(each.name, each)
      return result
    })
  }

  async #changeLocked<T>(transaction: Database, counters: readonly LockedCounter[], change: () => T) {
    const before = counters.map(({ leased }) => leased)
    for (const counter of counters) this.#giveBackSurplus(counter)
    const known = counters.map(({ leased }) => leased)
    const result = change()
    await this.#store(transaction, counters)
    await this.#storeLeases(
      transaction,
      counters.filter((counter, at) => counter.leased !== before[at]),
    )
    const leases = counters
      .map(({ name, terms, leased }, at) => ({ name, terms, leased, change: leased - (known[at] ?? 0) }))
      .filter(({ terms }) => terms.kind !== 'concurrency')
    return { result, leases }
  }

  /** Leases that this process never heard of. */
  #giveBackSurplus(counter: LockedCounter): void {
    if (counter.terms.kind === 'concurrency') return
    const surplus = this.#memory.surplusOf(counter.name, counter.leased)
    if (surplus === 0) return
    shift(counter, -surplus)
    counter.leased -= surplus
  }

  /** Notes the part; true: it, or a later one of the same report, was noted before. */
  async #wasTaken(
    transaction: Database,
    { report, part }: Pick<ReportPart<unknown>, 'report' | 'part'>,
  ): Promise<boolean> {
    const row = await transaction
      .selectFrom(nodesTable)
      .select('report')
      .where('node', '=', this.#node)
      .executeTakeFirst()
    const [last, lastPart] = String(row?.['report'] ?? '').split('#')
    if (last === report && Number(lastPart) >= part) return true
    await transaction
      .updateTable(nodesTable)
      .set({ report: `${report}#${part}` })
      .where('node', '=', this.#node)
      .execute()
    return false
  }

  /** Inserts the counters that are not there and locks them all, in the order of their names. */
  async #lock(
    transaction: Database,
    terms: ReadonlyMap<string, CounterTerms>,
  ): Promise<Map<string, LockedCounter>> {
    const names = [...terms.keys()].sort()
    const rows = await transaction
      .insertInto(countersTable)
      .values(names.map((key) => ({ key, units: 0, at: 0, keep_until: 0 })))
      .onConflict((target) => target.column('key').doUpdateSet((row) => ({ key: row.ref('excluded.key') })))
      .returning(['key', 'units', 'at', this.#serverTime.as('now')])
      .execute()
    const leases = await this.#readLeases(transaction, names)
    const counters = new Map<string, LockedCounter>()
    for (const [name, each] of terms) {
      const row = rows.find((candidate) => candidate['key'] === name)
      counters.set(name, this.#counterOf(each, { name, row, leases }))
    }
    return counters
  }

  #readLeases(db: Database, names: readonly string[]) {
    return db.selectFrom(leasesTable).selectAll().where('key', 'in', names).execute()
  }

  #counterOf(
    terms: CounterTerms,
    stored: {
      readonly name: string
      readonly row: Readonly<Record<string, unknown>> | undefined
      readonly leases: readonly Readonly<Record<string, unknown>>[]
    },
  ): LockedCounter {
    const { name, row, leases } = stored
    let [leased, leasedElsewhere] = [0, 0]
    for (const lease of leases) {
      if (lease['key'] !== name) continue
      if (lease['node'] === this.#node) leased += Number(lease['units'])
      else leasedElsewhere += Number(lease['units'])
    }
    const now = Number(row?.['now'] ?? 0)
    const units = terms.kind === 'concurrency' ? leased + leasedElsewhere : Number(row?.['units'] ?? 0)
    const counter = { name, terms, units, at: Number(row?.['at'] ?? 0), leased, leasedElsewhere }
    drain(counter, terms, now)
    return counter
  }

  async #store(transaction: Database, counters: readonly LockedCounter[]): Promise<void> {
    const rows = counters.map((counter) => {
      const isLeased = counter.leased + counter.leasedElsewhere > 0
      const keepUntil = counter.at + keepMsOf(counter, counter.terms, isLeased)
      return { key: counter.name, units: counter.units, at: counter.at, keep_until: keepUntil }
    })
    await transaction
      .insertInto(countersTable)
      .values(rows)
      .onConflict((target) =>
        target.column('key').doUpdateSet((row) => ({
          units: row.ref('excluded.units'),
          at: row.ref('excluded.at'),
          keep_until: row.ref('excluded.keep_until'),
        })),
      )
      .execute()
  }

  async #storeLeases(transaction: Database, counters: readonly LockedCounter[]): Promise<void> {
    const node = this.#node
    const ended = counters.filter(({ leased }) => leased <= 0).map(({ name }) => name)
    const rows = counters
      .filter(({ leased }) => leased > 0)
      .map(({ name, leased, terms }) => ({
        key: name,
        node,
        units: leased,
        is_slot: terms.kind === 'concurrency' ? 1 : 0,
      }))
    if (ended.length > 0) {
      await transaction.deleteFrom(leasesTable).where('node', '=', node).where('key', 'in', ended).execute()
    }
    if (rows.length === 0) return
    await transaction
      .insertInto(leasesTable)
      .values(rows)
      .onConflict((target) =>
        target.columns(['key', 'node']).doUpdateSet((row) => ({ units: row.ref('excluded.units') })),
      )
      .execute()
  }
}

type CounterOf = (key: CounterKey) => LockedCounter

/** What one transaction takes of a report. */
interface ReportPart<T> {
  readonly report: string
  readonly part: number
  /** It was taken before. */
  readonly repeated: () => T
}

function partOf<T>(report: string | undefined, rest: Omit<ReportPart<T>, 'report'>): ReportPart<T> | null {
  return report === undefined ? null : { report, ...rest }
}

function chunksOf<Key>(keys: readonly Key[]): readonly (readonly Key[])[] {
  const chunks: Key[][] = []
  for (let start = 0; start < keys.length; start += countersAtOnce)
    chunks.push(keys.slice(start, start + countersAtOnce))
  return chunks
}

function hold(counter: LockedCounter, units: number): void {
  if (counter.terms.kind === 'concurrency') counter.leased += units
}

function neverCounter({ key }: CounterKey): never {
  throw new Error(`the counter ${key} is not locked`)
}

/** Stored name → terms, each once. */
function namesOf(keys: readonly CounterKey[]): Map<string, CounterTerms> {
  return new Map(keys.map(({ key, terms }) => [storedKeyOf(key, terms), terms]))
}

/** `db` must be migrated, and stays the caller's to close. */
export function createSqlCounters(db: Database, options: SqlCountersOptions): CentralCounters {
  return new SqlCentralCounters(db, options)
}
