/** Several nodes that admit under one rule, each a process; for tests and proofs of limits over many nodes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openSqliteStore } from '../../src/adapters/sqlite/open-sqlite-store.ts'
import { defaultConfig } from '../../src/config/load.ts'
import type { LimitRule } from '../../src/domain/limits.ts'
import type { LimitNodeNews, LimitNodeOptions, LimitNodeOrder } from './limit-node.ts'

const entry = fileURLToPath(new URL('./limit-node.ts', import.meta.url))
const readyWithinMs = 20_000

export interface NodeTally {
  admitted: number
  refused: number
  /** Refused because nobody could say. */
  unavailable: number
}

export interface FleetNode {
  readonly tally: Readonly<NodeTally>
  admit(order: { readonly perSecond: number; readonly from: number; readonly until: number }): Promise<void>
  /** Resolves when the node says so; `connected` and `lost` are of the shared counters. */
  heard(news: LimitNodeNews['type']): Promise<void>
  /** Tells the stores everything and gives leases back. */
  close(): Promise<void>
  kill(): Promise<void>
}

export interface FleetOptions {
  readonly nodes: number
  readonly rule: LimitRule
  /** Null: SQLite in the fleet's folder, which all nodes open. */
  readonly postgresUrl?: string | null
  readonly valkeyUrl?: string | null
  readonly reservedMicroUsd?: number
}

export interface Fleet {
  readonly nodes: readonly FleetNode[]
  /** Let all nodes admit for `forMs`; resolves with the seconds that it lasted. */
  admit(perSecondAndNode: number, forMs: number): Promise<number>
  total(): NodeTally
  /** Of the SQLite database. */
  readonly databaseFile: string
  stop(): Promise<void>
}

/** A rule that counts all requests together. */
export function ruleOf(own: Partial<LimitRule>): LimitRule {
  return {
    id: 'lim_fleet',
    organizationId: 'org_fleet',
    name: 'fleet',
    meter: 'requests',
    amount: 100,
    window: { kind: 'rolling', ms: 1000, burst: null },
    per: [],
    mode: 'enforce',
    whenExceeded: 'refuse',
    onStoreLoss: 'local-share',
    alertsAt: [],
    match: { applications: null, teams: null, keys: null, users: null, models: null, products: null },
    ...own,
  }
}

function startNode(options: LimitNodeOptions): FleetNode {
  const child: ChildProcess = spawn(process.execPath, [entry, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const tally: NodeTally = { admitted: 0, refused: 0, unavailable: 0 }
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const byte of chunk) {
      if (byte === 0x61) tally.admitted += 1
      else if (byte === 0x72) tally.refused += 1
      else tally.unavailable += 1
    }
  })
  // When the process and its output have both ended.
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const heard = (type: LimitNodeNews['type']): Promise<void> =>
    new Promise((resolve) => {
      const hear = (news: LimitNodeNews): void => {
        if (news.type !== type) return
        child.off('message', hear)
        resolve()
      }
      child.on('message', hear)
      void ended.then(resolve)
    })
  const order = (message: LimitNodeOrder): void => void child.send(message)
  return {
    tally,
    heard,
    async admit(terms) {
      const done = heard('done')
      order({ type: 'admit', ...terms })
      await done
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) order({ type: 'close' })
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const startDelayMs = 100

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-fleet-'))
  const databaseFile = join(folder, 'gatewright.db')
  const valkeyUrl = options.valkeyUrl ?? null
  const base = defaultConfig()
  const kind = valkeyUrl === null ? 'database' : 'valkey'
  // A fleet of its own on the server: nodes of another do not count.
  const counters = { ...base.counters, kind, url: 'env:VALKEY_URL', prefix: `${options.rule.id}:` } as const
  // The tables are there before nodes ask for them all at once.
  if (typeof options.postgresUrl !== 'string') await (await openSqliteStore({ path: databaseFile })).close()
  const nodes = await Promise.all(
    Array.from({ length: options.nodes }, async () => {
      const node = startNode({
        directory: mkdtempSync(join(folder, 'node-')),
        config: { ...base, counters },
        database: options.postgresUrl ?? databaseFile,
        valkeyUrl,
        rule: options.rule,
        reservedMicroUsd: options.reservedMicroUsd ?? 0,
      })
      const connected = valkeyUrl === null ? Promise.resolve() : node.heard('connected')
      const late = sleep(readyWithinMs, undefined, { ref: false }).then(() => {
        throw new Error('a node of the fleet did not start')
      })
      await Promise.race([Promise.all([node.heard('ready'), connected]), late])
      return node
    }),
  )
  return {
    nodes,
    databaseFile,
    async admit(perSecond, forMs) {
      const from = Date.now() + startDelayMs
      await Promise.all(nodes.map((node) => node.admit({ perSecond, from, until: from + forMs })))
      return (Date.now() - from) / 1000
    },
    total: () =>
      nodes.reduce(
        (sum, { tally }) => ({
          admitted: sum.admitted + tally.admitted,
          refused: sum.refused + tally.refused,
          unavailable: sum.unavailable + tally.unavailable,
        }),
        { admitted: 0, refused: 0, unavailable: 0 },
      ),
    async stop() {
      await Promise.all(nodes.map((node) => node.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
