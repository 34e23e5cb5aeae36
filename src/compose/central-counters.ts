/**
 * Which counters go where. Budgets of the calendar are durable: they lie in the store's database. Rates and
 * concurrency are counted
 *
 *   local       in this node's memory alone       one node, or as many limits as nodes
 *   database    in the store's database           several nodes without another service
 *   valkey      in Valkey or Redis                several nodes with much traffic, or limits that are small
 *
 * Several nodes share PostgreSQL, so `auto` counts rates there too: no limit is multiplied by the number of nodes
 * because somebody forgot to say so.
 */
import { keepKnownNodes, readKnownNodes } from '../adapters/data-directory/known-nodes.ts'
import { readNodeId } from '../adapters/data-directory/node-id.ts'
import type { CounterStores } from '../adapters/thread-counters/thread-central-counters.ts'
import { type Config, sharesRates } from '../config/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { createTimerWheel } from '../kernel/timer-wheel.ts'
import { createLeaseKeeper } from '../limits/index.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import type { Log } from '../supervisor/log.ts'
import { openControlCounters } from './counter-memory.ts'

/** A node that was not heard of for so long holds nothing in Valkey any more. The keeper renews every second. */
const valkeyTtlMs = 10_000
/** What a node had leased of a budget can be settled for so long after it was heard last. */
const databaseTtlMs = 3_600_000
const databasePresenceMs = 10_000

export interface CentralCountersParts {
  readonly config: Config
  /** Path of the data directory. */
  readonly directory: string
  readonly memory: SharedArrayBuffer
  /** Names this run of the process. */
  readonly run: string
  readonly storage: {
    openCounters(options: {
      readonly node: string
      readonly run: string
      readonly ttlMs: number
      readonly presenceMs: number
    }): CentralCounters
  }
  readonly readReference: (reference: string) => string | null
  readonly log: Log
}

export interface OpenedCounters {
  readonly stores: CounterStores
  /** The counters of this node. */
  readonly node: NodeCounters
  /** Tell the stores everything, and give all leases back. */
  close(): Promise<void>
}

export async function openCentralCounters(parts: CentralCountersParts): Promise<OpenedCounters> {
  const { config, directory, run, storage, memory } = parts
  const node = readNodeId(directory)
  const calendar = storage.openCounters({ node, run, ttlMs: databaseTtlMs, presenceMs: databasePresenceMs })
  const valkey = config.counters.kind === 'valkey' ? await openValkey(parts, node) : null
  const rates = valkey ?? (sharesRates(config) ? calendar : null)
  const timers = createTimerWheel()
  const counters = openControlCounters(memory)
  // A control plane that was started again finds what it noted before.
  if (counters.nodes === null) counters.noteNodes(readKnownNodes(directory) ?? 1)
  const keeper = createLeaseKeeper({
    counters,
    calendarCounters: calendar,
    rateCounters: rates,
    clock: systemClock,
    timers,
    nodesChanged: (nodes) => keepKnownNodes(directory, nodes),
  })
  return {
    stores: { calendar, rates },
    node: counters,
    async close() {
      await keeper.close()
      timers.stop()
      await Promise.allSettled([calendar.forget(), valkey?.forget()])
      await valkey?.close()
    },
  }
}

async function openValkey(
  { config, run, readReference, log }: CentralCountersParts,
  node: string,
): Promise<CentralCounters> {
  // A node without shared counters starts without their client.
  const { openValkeyCounters } = await import('../adapters/valkey/open-valkey-counters.ts')
  const { url, prefix, cluster, timeoutMs, certificateFile } = config.counters
  const address = readReference(url ?? '')
  if (address === null) throw new TypeError('counters.url names no address of Valkey or Redis')
  const extraCertificate = certificateFile === undefined ? null : readReference(`file:${certificateFile}`)
  return openValkeyCounters({
    url: address,
    prefix,
    cluster,
    commandTimeoutMs: timeoutMs,
    extraCertificates: extraCertificate === null ? [] : [extraCertificate],
    node,
    run,
    ttlMs: valkeyTtlMs,
    onEviction(policy) {
      const text = `The server of the shared counters evicts keys (maxmemory-policy ${policy}): a counter that is evicted lifts its limit. Set noeviction.`
      log({ level: 'warn', code: 'counters.eviction', text })
    },
    onState(connected, reason) {
      if (connected) log({ level: 'info', code: 'counters.connected', text: 'The shared counters answer.' })
      else {
        const text = `The shared counters do not answer (${reason}); limits go by their onStoreLoss.`
        log({ level: 'warn', code: 'counters.lost', text })
      }
    },
  })
}
