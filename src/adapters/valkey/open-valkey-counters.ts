/**
 * CentralCounters in Valkey or Redis. Every call is one step inside the server (`counters.lua`), in its time; keys of
 * one hash tag go in one call, those of several in as many calls at once. Keys expire by themselves.
 *
 * Loss of the store's data lifts each limit by its burst once; slots are written anew by the nodes that hold them.
 */
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
import { longestExchangeMs, storedKeyOf } from '../../ports/central-counters-arithmetic.ts'
import { createValkeyClient, type ValkeyConnection } from './connect-valkey.ts'
import { type CounterClient, type CounterLibrary, createCounterLibrary } from './counter-library.ts'
import { LeaseLedger, type StoredCounter } from './lease-ledger.ts'

export interface ValkeyCountersOptions extends ValkeyConnection {
  readonly node: string
  /** Names one run of the node's process: leases and holds of the run before end where this one calls. No colon. */
  readonly run: string
  /** Before every key; without braces. Installations that share a server have prefixes of their own. */
  readonly prefix: string
  /** How long leases and holds stay without being renewed. */
  readonly ttlMs: number
  /** Called when the connection is there, and when it is lost with the reason. */
  readonly onState: (connected: boolean, reason: string) => void
  /** Called on each connection to a server that may evict counters. */
  readonly onEviction?: (policy: string) => void
}

type Operation = 'take' | 'adjust' | 'lease' | 'settle' | 'hold' | 'read' | 'renew' | 'forget'
interface Argument extends StoredCounter {
  readonly x: number
  readonly y: number
}

/** All nodes renew under this tag, so that each knows how many there are. */
const fleetTag = 'fleet'
/** Remembered to take leave of; under others the node counts until it was silent for `ttlMs`. */
const maxTags = 10_000

/** What is between the first braces, as a cluster reads it; the whole key where there are none. */
function tagOf(key: string): string {
  const from = key.indexOf('{') + 1
  const to = key.indexOf('}', from)
  return from > 0 && to > from ? key.slice(from, to) : key
}

function argumentsOf({ terms, x, y }: Argument): (string | number)[] {
  switch (terms.kind) {
    case 'rolling':
      return ['r', terms.amount, terms.windowMs, terms.burst, x, y]
    case 'calendar':
      return ['c', terms.amount, 0, terms.endsAt, x, y]
    case 'concurrency':
      return ['h', terms.amount, 0, 0, x, y]
  }
}

function standingsOf(reply: readonly string[], from: number, count: number): CounterStanding[] {
  return Array.from({ length: count }, (_, index) => ({
    remaining: Number(reply[from + 2 * index]),
    resetMs: Number(reply[from + 2 * index + 1]),
  }))
}

const neverOr = (text: string | undefined): number | null => (Number(text) < 0 ? null : Number(text))

class ValkeyCentralCounters implements CentralCounters {
  readonly #options: ValkeyCountersOptions
  readonly #client: CounterClient
  readonly #library: CounterLibrary
  readonly #ledger = new LeaseLedger()
  /** Tags used lately: the node counts among those that share their counters. */
  #tags = new Set<string>()
  #tagsBefore = new Set<string>()
  #tagsTurnedAt = performance.now()

  constructor(options: ValkeyCountersOptions, client: CounterClient) {
    this.#options = options
    this.#client = client
    this.#library = createCounterLibrary(client)
    client.on('ready', () => {
      this.#ledger.doubtAll()
      options.onState(true, '')
    })
  }

  async take(entries: readonly CounterEntry[]): Promise<TakeOutcome> {
    if (entries.length === 0) return { taken: true, standings: [] }
    const all = entries.map((entry) => this.#argument(entry, entry.units, 0))
    const reply = await this.#callOne('take', all)
    const refused = Number(reply[1])
    const standings = standingsOf(reply, 3, all.length)
    if (refused > 0) {
      return { taken: false, refusedBy: refused - 1, retryAfterMs: neverOr(reply[2]), standings }
    }
    for (const each of all) if (each.terms.kind === 'concurrency') this.#ledger.note(each, each.x)
    return { taken: true, standings }
  }

  async adjust(entries: readonly CounterEntry[]): Promise<void> {
    if (entries.length === 0) return
    const all = entries.map((entry) => this.#argument(entry, entry.units, 0))
    await this.#callOne('adjust', all)
    for (const each of all) if (each.terms.kind === 'concurrency') this.#ledger.note(each, each.x)
  }

  async lease(requests: readonly LeaseRequest[]): Promise<readonly LeaseGrant[]> {
    const all = requests.map((request) => this.#argument(request, request.wanted, request.least))
    return this.#callEach('lease', all, (reply, at, each) => {
      const from = 1 + 4 * at
      const units = Number(reply[from])
      const [standing] = standingsOf(reply, from + 2, 1)
      if (units > 0) this.#ledger.note(each, units)
      return {
        units,
        ttlMs: this.#options.ttlMs,
        nodes: Number(reply[0]),
        standing: standing ?? { remaining: 0, resetMs: 0 },
        retryAfterMs: units > 0 ? null : neverOr(reply[from + 1]),
      }
    })
  }

  async settle(parts: readonly LeasePart[]): Promise<void> {
    const all = parts.map((part) => this.#argument(part, part.spent, part.returned))
    await this.#callEach('settle', all, (_, __, each) => this.#ledger.note(each, -each.x - each.y))
  }

  async renew(): Promise<number> {
    await this.#holdAnew()
    this.#turnTags()
    const tags = [...this.#ledger.tags()].map((tag) => this.#call('renew', tag, []))
    const [fleet] = await Promise.all([this.#call('renew', fleetTag, []), ...tags])
    return Number(fleet?.[0])
  }

  async forget(): Promise<void> {
    const tags = new Set([...this.#ledger.tags(), ...this.#tags, ...this.#tagsBefore, fleetTag])
    this.#ledger.clear()
    await Promise.all([...tags].map((tag) => this.#call('forget', tag, [])))
  }

  async read(keys: readonly CounterKey[]): Promise<readonly CounterStanding[]> {
    const all = keys.map((key) => this.#argument(key, 0, 0))
    return this.#callEach('read', all, (reply, at) => {
      const [standing] = standingsOf(reply, 1 + 2 * at, 1)
      return standing ?? { remaining: 0, resetMs: 0 }
    })
  }

  async close(): Promise<void> {
    this.#client.disconnect()
  }

  /** Under tags that were not used for a while the node does not count any more. */
  #turnTags(): void {
    if (performance.now() - this.#tagsTurnedAt < this.#options.ttlMs) return
    this.#tagsTurnedAt = performance.now()
    this.#tagsBefore = this.#tags
    this.#tags = new Set()
  }

  async #holdAnew(): Promise<void> {
    const terms: CounterTerms = { kind: 'concurrency', amount: 0 }
    const calls = [...this.#ledger.takeDoubtful()].map(async ([tag, slots]) => {
      const all = slots.map(({ name, units }) => ({ name, tag, terms, x: units, y: 0 }))
      try {
        await this.#call('hold', tag, all)
      } catch (error) {
        this.#ledger.doubt(tag, slots)
        throw error
      }
    })
    await Promise.all(calls)
  }

  #argument({ key, terms }: CounterKey, x: number, y: number): Argument {
    const tag = tagOf(key)
    const stored = storedKeyOf(key, terms)
    const name = `${this.#options.prefix}c:${stored.includes(`{${tag}}`) ? stored : `{${tag}}${stored.slice(tag.length)}`}`
    return { name, tag, terms, x, y }
  }

  #callOne(operation: Operation, all: readonly Argument[]): Promise<readonly string[]> {
    const tag = all[0]?.tag ?? ''
    if (all.some((each) => each.tag !== tag)) throw new RangeError('entries of one call share their hash tag')
    return this.#call(operation, tag, all)
  }

  /** One call for each tag; the results in the order of `all`. Rejects when one of the calls fails. */
  async #callEach<T>(
    operation: Operation,
    all: readonly Argument[],
    read: (reply: readonly string[], at: number, each: Argument) => T,
  ): Promise<T[]> {
    const byTag = new Map<string, { readonly each: Argument; readonly place: number }[]>()
    for (const [place, each] of all.entries()) {
      const group = byTag.get(each.tag) ?? []
      group.push({ each, place })
      byTag.set(each.tag, group)
    }
    const results = new Array<T>(all.length)
    const calls = [...byTag].map(async ([tag, group]) => {
      const entries = group.map(({ each }) => each)
      const reply = await this.#call(operation, tag, entries)
      for (const [at, { each, place }] of group.entries()) results[place] = read(reply, at, each)
    })
    const failed = (await Promise.allSettled(calls)).find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return results
  }

  #call(operation: Operation, tag: string, all: readonly Argument[]): Promise<readonly string[]> {
    const { prefix, node, run, ttlMs } = this.#options
    if (operation !== 'forget' && this.#tags.size < maxTags) this.#tags.add(tag)
    const keys = [`${prefix}n:{${tag}}`, ...all.map((each) => each.name)]
    const values = [operation, node, run, ttlMs, longestExchangeMs, ...all.flatMap(argumentsOf)]
    return this.#ledger.during(all, () => this.#library.call(keys, values))
  }
}

/** An evicted counter is a limit that begins anew. Where the server does not say, nothing is said. */
async function warnOfEviction(client: CounterClient, warn: (policy: string) => void): Promise<void> {
  const memory = await client.info('memory').catch(() => '')
  const policy = /^maxmemory_policy:([a-z-]+)/m.exec(memory)?.[1] ?? 'noeviction'
  if (policy !== 'noeviction' && !/^maxmemory:0\r?$/m.test(memory)) warn(policy)
}

/** Resolves at once: the store may come later. Until then, and whenever it is lost, calls are refused. */
export function openValkeyCounters(options: ValkeyCountersOptions): CentralCounters {
  if (/[{}]/.test(options.prefix)) throw new RangeError('a prefix of counters has no braces')
  const client = createValkeyClient(options)
  let isReady = false
  let reported = ''
  const report = (reason: string): void => {
    if (reason !== reported) options.onState(false, reason)
    reported = reason
  }
  client.on('error', (error: Error & { readonly code?: string }) => report(error.code ?? error.name))
  client.on('ready', () => {
    isReady = true
    reported = ''
    void warnOfEviction(client, options.onEviction ?? (() => undefined))
  })
  client.on('close', () => {
    // A connection that never came about says why by its error.
    if (isReady) report('closed')
    isReady = false
  })
  const counters = new ValkeyCentralCounters(options, client)
  // Why it failed is an event of its own; the client goes on trying by itself.
  client.connect().catch(() => undefined)
  return counters
}
