/**
 * A node that does nothing but admit: the limiter, its memory, its lease keeper and the stores of a real node, without
 * the gateway around them. Run as a process of its own by `limit-fleet.ts`, told what to do over its IPC channel.
 *
 * Every decision is one character on standard output, written before the next one is made, so that the last of them
 * is known when the process is killed: `a` admitted, `r` refused, `u` refused because nobody could say.
 */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPostgresDatabase } from '../../src/adapters/postgres/open-postgres-store.ts'
import { postgresTime } from '../../src/adapters/sql-counters/server-time.ts'
import { createSqlCounters } from '../../src/adapters/sql-counters/sql-central-counters.ts'
import { openSqliteStore } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { type CentralCountersParts, openCentralCounters } from '../../src/compose/central-counters.ts'
import { createCounterMemory, openWorkerCounters } from '../../src/compose/counter-memory.ts'
import type { Config } from '../../src/config/index.ts'
import type { LimitRule } from '../../src/domain/limits.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { createTimerWheel } from '../../src/kernel/timer-wheel.ts'
import { type CompiledLimits, compileLimits, createLimiter, type Limiter } from '../../src/limits/index.ts'
import { requestOfFleet } from './fleet-request.ts'

export interface LimitNodeOptions {
  /** Data directory of the node. */
  readonly directory: string
  readonly config: Config
  /** URL of PostgreSQL, or path of an SQLite file. */
  readonly database: string
  readonly valkeyUrl: string | null
  readonly rule: LimitRule
  /** Of each exchange, of which three quarters are used. */
  readonly reservedMicroUsd: number
}

/** Parent → node. Times are Unix milliseconds. */
export type LimitNodeOrder =
  | { readonly type: 'admit'; readonly perSecond: number; readonly from: number; readonly until: number }
  | { readonly type: 'close' }
/** Node → parent. */
export type LimitNodeNews = { readonly type: 'ready' | 'done' | 'connected' | 'lost' }

const tell = (news: LimitNodeNews): void => void process.send?.(news)
const options = JSON.parse(process.argv[2] ?? '') as LimitNodeOptions
const stepMs = 2

async function openStorage(): Promise<CentralCountersParts['storage']> {
  const { database } = options
  if (!database.startsWith('postgres:')) return openSqliteStore({ path: database })
  const db = await openPostgresDatabase({
    url: database,
    tls: { mode: 'auto' },
    poolSize: 4,
    connectTimeoutMs: 1000,
    statementTimeoutMs: 2000,
  })
  return { openCounters: (own) => createSqlCounters(db, { ...own, serverTime: postgresTime }) }
}

/** Asked, and not answered yet. */
let waiting = 0

function admit(limiter: Limiter, limits: CompiledLimits): void {
  const { rule, reservedMicroUsd } = options
  const request = requestOfFleet(rule, reservedMicroUsd)
  waiting += 1
  limiter.admit(limits, request, (verdict) => {
    waiting -= 1
    if (!verdict.allowed) return void writeSync(1, verdict.cause === 'unavailable' ? 'u' : 'r')
    writeSync(1, 'a')
    verdict.reservation.settle({ inputTokens: 0, outputTokens: 0, costMicroUsd: (reservedMicroUsd * 3) / 4 })
  })
}

async function start(): Promise<void> {
  const memory = createCounterMemory(1)
  const central = await openCentralCounters({
    config: options.config,
    directory: options.directory,
    memory: memory.buffer,
    run: String(process.pid),
    storage: await openStorage(),
    readReference: () => options.valkeyUrl,
    log: ({ code }) => tell({ type: code === 'counters.connected' ? 'connected' : 'lost' }),
  })
  const limiter = createLimiter({
    counters: openWorkerCounters(memory.buffer, 0),
    calendarCounters: central.stores.calendar,
    rateCounters: central.stores.rates,
    clock: systemClock,
    timers: createTimerWheel(),
  })
  const limits = compileLimits([options.rule], [], [])
  process.on('message', (order: LimitNodeOrder) => {
    if (order.type === 'admit') void offer(order)
    else void central.close().then(() => process.exit(0))
  })
  async function offer({
    perSecond,
    from,
    until,
  }: Extract<LimitNodeOrder, { type: 'admit' }>): Promise<void> {
    let offered = 0
    for (let now = 0; now < until; await sleep(stepMs)) {
      now = Math.min(Date.now(), until)
      for (; offered < ((now - from) * perSecond) / 1000; offered += 1) admit(limiter, limits)
    }
    while (waiting > 0) await sleep(stepMs)
    tell({ type: 'done' })
  }
  tell({ type: 'ready' })
}

await start()
