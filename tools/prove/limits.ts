/** The slice of limits: what holds over many nodes, and while nodes and stores are killed. */

import { proveConnectionAttacks } from './limits-connections.ts'
import { proveBudget, proveGlobalLimit, proveKilledNode, proveLostStore } from './limits-many-nodes.ts'
import { runTestFile } from './run-test-files.ts'
import type { ProofRow, ProofSlice } from './slice.ts'

/** Counters against their oracles: one process, several connections, every store. */
const counterTests = [
  'src/adapters/shared-counters/shared-counters.test.ts',
  'src/adapters/sql-counters/sql-counters.test.ts',
  'src/adapters/valkey/valkey-counters.test.ts',
  'src/adapters/memory/memory-central-counters.test.ts',
  'src/adapters/thread-counters/thread-central-counters.test.ts',
]

async function proveCounters(): Promise<readonly ProofRow[]> {
  const rows: ProofRow[] = []
  for (const file of counterTests) rows.push(await runTestFile(file))
  return rows
}

export const limits: ProofSlice = {
  name: 'limits',
  title: 'Limits, budgets, routing and many nodes',
  sections: [
    {
      name: 'counters',
      does: 'Random interleavings of calls against exact oracles, on every kind of counters.',
      run: proveCounters,
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
      name: 'connections',
      does: 'slowhttptest, h2load, rapid resets and slow bodies against a started product, one after another.',
      run: proveConnectionAttacks,
    },
  ],
}
