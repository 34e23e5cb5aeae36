/**
 * One writer per data directory. Node.js has no file locks of its own; SQLite has, and the operating system drops
 * them with the process that held them, so that a lock is never stale. `writer.json` beside the lock names the
 * holder (process id and start time) for people.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'

export interface WriterLock {
  release(): void
}

function describeHolder(path: string): string {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const pid: unknown = typeof holder === 'object' && holder !== null && 'pid' in holder ? holder.pid : null
    return typeof pid === 'number' ? `process ${pid}` : 'another process'
  } catch {
    return 'another process'
  }
}

/** Throws `faults.dataDirectory`, naming the holder, when the directory has a writer. */
export function acquireWriterLock(directory: string): WriterLock {
  const holderPath = join(directory, 'writer.json')
  const database = new DatabaseSync(join(directory, 'writer.lock'), { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    throw new Fault(faults.dataDirectory, {
      public: {
        reason: `it is in use by ${describeHolder(holderPath)}; end that one, or name another directory`,
      },
      cause: error,
    })
  }
  const startedAt = Math.round(Date.now() - process.uptime() * 1000)
  writeFileSync(holderPath, JSON.stringify({ pid: process.pid, startedAt }), { mode: 0o600 })
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      database.close()
    },
  }
}
