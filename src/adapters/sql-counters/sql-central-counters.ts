/**
 * CentralCounters in the SQL store's database: durable, for money and budgets. Each call is a transaction that locks
 * its counters in the order of their names, so that no update is lost and no two calls wait for each other; the same
 * statements run on SQLite and PostgreSQL.
 *
 * A process that is killed loses its leases and nothing else: they were debited when they were leased, and stay so.
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
import { countersTable, leasesTable } from './counter-tables.ts'
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
  readonly #db: Database
  readonly #node: string
  readonly #serverTime: RawBuilder<number>
  readonly #register: NodeRegister
  readonly #ttlMs: number

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

  async adjust(entries: readonly CounterEntry[]): Promise<void> {
    await this.#register.live()
    await this.#change(entries, (counterOf) => {
      for (const entry of entries) {
        const counter = counterOf(entry)
        const isSlot = entry.terms.kind === 'concurrency'
        const units = isSlot ? Math.max(entry.units, -counter.leased) : entry.units
        shift(counter, units)
        hold(counter, units)
      }
    })
  }

  async lease(requests: readonly LeaseRequest[]): Promise<readonly LeaseGrant[]> {
    const nodes = await this.#register.live()
    return this.#changeInParts(requests, (request, counter) => {
      const grant = grantLease(counter, request.terms, request)
      counter.leased += grant.units
      return { ...grant, ttlMs: this.#ttlMs, nodes }
    })
  }

  async settle(parts: readonly LeasePart[]): Promise<void> {
    await this.#register.live()
    await this.#changeInParts(parts, ({ terms, spent, returned }, counter) => {
      counter.leased = settleLease(counter, terms, { outstanding: counter.leased, spent, returned })
    })
  }

  renew(): Promise<number> {
    return this.#register.live()
  }

  forget(): Promise<void> {
    return this.#register.forget()
  }

  async read(keys: readonly CounterKey[]): Promise<readonly CounterStanding[]> {
    const standings: CounterStanding[] = []
    for (let start = 0; start < keys.length; start += countersAtOnce) {
      standings.push(...(await this.#readSome(keys.slice(start, start + countersAtOnce))))
    }
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

  async #changeInParts<K extends CounterKey, T>(
    keys: readonly K[],
    change: (key: K, counter: LockedCounter) => T,
  ): Promise<T[]> {
    const results: T[] = []
    for (let start = 0; start < keys.length; start += countersAtOnce) {
      const some = keys.slice(start, start + countersAtOnce)
      results.push(
        ...(await this.#change(some, (counterOf) => some.map((key) => change(key, counterOf(key))))),
      )
    }
    return results
  }

  /** Runs `change` on the counters of `keys`, locked; stores what it leaves. */
  async #change<T>(
    keys: readonly CounterKey[],
    change: (counterOf: (key: CounterKey) => LockedCounter) => T,
  ): Promise<T> {
    if (keys.length === 0) return change(neverCounter)
    return this.#db.transaction().execute(async (transaction) => {
      const counters = await this.#lock(transaction, namesOf(keys))
      const before = [...counters.values()].map(({ leased }) => leased)
      const result = change((key) => counters.get(storedKeyOf(key.key, key.terms)) ?? neverCounter(key))
      await this.#store(transaction, [...counters.values()])
      const changed = [...counters.values()].filter((counter, at) => counter.leased !== before[at])
      await this.#storeLeases(transaction, changed)
      return result
    })
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
