/** Figures of the process that Linux tells in /proc; null where there is none. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessFigures {
  readonly openFiles: number
  readonly maxFiles: number | null
  readonly virtualMemoryBytes: number | null
}

export function readProcessFigures(root = '/proc/self'): ProcessFigures | null {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync(`${root}/limits`, 'latin1'))?.[1]
    const size = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`${root}/status`, 'latin1'))?.[1]
    return {
      openFiles: readdirSync(`${root}/fd`).length,
      maxFiles: limit === undefined ? null : Number(limit),
      virtualMemoryBytes: size === undefined ? null : Number(size) * 1024,
    }
  } catch {
    return null
  }
}
