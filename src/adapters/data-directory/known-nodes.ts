/**
 * How many nodes share the counters, kept in the data directory: a node that starts while the counters are away keeps
 * to its share of a rate all the same.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const form = /^[1-9]\d{0,5}$/
const fileOf = (directory: string): string => join(directory, 'known-nodes')

/** Null: nobody knows, or the file holds something else. */
export function readKnownNodes(directory: string): number | null {
  try {
    const text = readFileSync(fileOf(directory), 'utf8').trim()
    return form.test(text) ? Number(text) : null
  } catch {
    return null
  }
}

/** Never throws: without the file a later start takes the number before, or 1, and counting goes on. */
export function keepKnownNodes(directory: string, nodes: number): void {
  const file = fileOf(directory)
  try {
    writeFileSync(`${file}.new`, `${nodes}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch {
    // See above.
  }
}
