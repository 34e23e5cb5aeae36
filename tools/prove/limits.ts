/** The slice of limits: what they hold and cost, over many nodes too, and while nodes and stores are killed. */

import { proveConnectionAttacks } from './limits-connections.ts'
import { proveCheck, proveLimitBench } from './limits-cost.ts'
import { proveGateways } from './limits-gateways.ts'
import { proveLeases } from './limits-leased.ts'
import { proveBudget, proveGlobalLimit, proveKilledNode, proveLostStore } from './limits-many-nodes.ts'
import { proveTokens } from './limits-tokens.ts'
import { runTestFile, testFilesOf } from './run-test-files.ts'
import type { ProofRow, ProofSlice } from './slice.ts'

/** Counters against their oracles: one process, several connections, every store. */
const counterTests = [
  'src/adapters/shared-counters/shared-counters.test.ts',
  'src/adapters/sql-counters/sql-counters.test.ts',
  'src/adapters/valkey/valkey-counters.test.ts',
  'src/adapters/memory/memory-central-counters.test.ts',
  'src/adapters/thread-counters/thread-central-counters.test.ts',
]

/** The limiter on top of them: an exact model, clients at once, leases, calendars, every way of ending. */
const limiterTests = [
  ...testFilesOf('src/limits'),
  ...testFilesOf('src/gateway/limits'),
  'test/attack/rival-limit-incidents.test.ts',
  ...journeysOf('limit-'),
]
/** What follows a fault of a provider, and where a route, a retry or a cache may never go. */
const routingTests = [
  'test/attack/upstream-faults.test.ts',
  ...testFilesOf('src/routing'),
  'src/gateway/routing.test.ts',
  'src/gateway/residency.test.ts',
  'src/gateway/stages/response-cache.test.ts',
]
/** Several nodes on one database and one store of counters. */
const nodesTests = [
  'src/adapters/postgres/postgres-store.test.ts',
  ...testFilesOf('test/limits'),
  ...journeysOf('many-nodes'),
]

function journeysOf(prefix: string): string[] {
  return testFilesOf('test/journeys').filter((file) => file.startsWith(`test/journeys/${prefix}`))
}

const testing = (files: readonly string[]) => async (): Promise<readonly ProofRow[]> => {
  const rows: ProofRow[] = []
  for (const file of files) rows.push(await runTestFile(file))
  return rows
}

export const limits: ProofSlice = {
  name: 'limits',
  title: 'Limits, budgets, routing and many nodes',
  sections: [
    {
      name: 'counters',
      does: 'Random interleavings of calls against exact oracles, on every kind of counters.',
      run: testing(counterTests),
    },
    {
      name: 'limiter',
      does: 'The limiter against an exact model: clients at once, aborts, crashes, leases, calendars, streams.',
      run: testing(limiterTests),
    },
    {
      name: 'routing',
      does: 'A provider that fails in every way; residency, breakers, retries, choices and the response cache.',
      run: testing(routingTests),
    },
    {
      name: 'nodes',
      does: 'The store on real PostgreSQL; several nodes, and the way from one to several.',
      run: testing(nodesTests),
    },
    { name: 'tokens', does: 'Clients that ask at once under one limit on tokens.', run: proveTokens },
    { name: 'leases', does: 'Admissions under a limit on real Redis, at a steady pace.', run: proveLeases },
    { name: 'check', does: '`bench/micro/limits.ts`: four limits at once.', run: proveCheck },
    {
      name: 'bench',
      does: 'The product with limits beside the product without; see the guide to the benchmarks.',
      run: proveLimitBench,
    },
    {
      name: 'global-limit',
      does: 'Three processes under twice the load that one limit allows, on real Redis and real PostgreSQL.',
      run: proveGlobalLimit,
    },
    { name: 'killed-node', does: 'One of three processes is killed under load.', run: proveKilledNode },
    {
      name: 'lost-store',
      does: 'Redis is killed under load and started again, under each policy.',
      run: proveLostStore,
    },
    {
      name: 'budget',
      does: 'Three processes spend one budget in PostgreSQL; then again, with a node and PostgreSQL killed.',
      run: proveBudget,
    },
    {
      name: 'gateways',
      does: 'Three gateways on real Redis and real PostgreSQL under load; each of the three is killed.',
      run: proveGateways,
    },
    {
      name: 'connections',
      does: 'slowhttptest, h2load, rapid resets and slow bodies against a started product, one after another.',
      run: proveConnectionAttacks,
    },
  ],
}
