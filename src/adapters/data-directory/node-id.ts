/** The name of this node among those that share a database: made once, kept in the data directory. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { newId } from '../../kernel/ids.ts'

const form = /^nod_[0-9A-Za-z]{22}$/

/** @throws Fault when the file holds something else */
export function readNodeId(directory: string): string {
  const file = join(directory, 'node-id')
  const draft = `${file}.${process.pid}.new`
  try {
    writeFileSync(draft, `${newId('nod')}\n`, { mode: 0o600, flush: true })
    // A link fails when the name is taken: an id, once given, stays.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const id = readFileSync(file, 'utf8').trim()
  if (form.test(id)) return id
  const reason = `${file} holds no node id; put it back from your backup, or remove it: usage in the log is counted anew then`
  throw new Fault(faults.dataDirectory, { public: { reason } })
}
