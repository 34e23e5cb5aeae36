import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCentralCountersContract } from '../../ports/central-counters.contract.ts'
import { openSqliteStore } from '../sqlite/open-sqlite-store.ts'

testCentralCountersContract('sqlite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewright-counters-'))
  // One process has one connection; several processes are tried in test/journeys.
  const storage = await openSqliteStore({ path: join(directory, 'gatewright.db') })
  return {
    ttlMs: 300,
    open: async (node) => storage.openCounters({ node, ttlMs: 300, presenceMs: 300 }),
    async remove() {
      await storage.close()
      rmSync(directory, { recursive: true })
    },
  }
})
