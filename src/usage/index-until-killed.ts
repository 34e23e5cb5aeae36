/** Test program: indexes the log in argv[2] into the database argv[3], frame by frame, and prints when it is done. */
import { openEventLog } from '../adapters/event-log/open-event-log.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { UsageStore } from '../ports/usage-store.ts'
import { createUsageIndexer } from './usage-indexer.ts'

const [, , directory = '', path = ''] = process.argv
const log = await openEventLog({ directory })
const { usage, close } = await openSqliteStore({ path })
process.stdout.write('open\n')
/** Slow on purpose: gives the kill many places to strike, before, within and after the transaction. */
const slow: UsageStore = {
  ...usage,
  async apply(batch) {
    await usage.apply(batch)
    await new Promise((resolve) => setTimeout(resolve, 2))
  },
}
await createUsageIndexer({ log, store: slow, windowSize: 50, maxPending: 1 }).catchUp()
process.stdout.write('done\n')
await log.close()
await close()
