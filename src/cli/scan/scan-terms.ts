/** What a scan is asked for, and what it found. */
import type { Sighting } from './content-scan.ts'
import type { GitEnvironment } from './git-command.ts'

export interface ScanTerms {
  /** Absolute. */
  readonly root: string
  /** Larger files and objects are left out. */
  readonly maxBytes: number
  readonly scansBinary: boolean
  /** Also files that git ignores, and `node_modules`. */
  readonly scansIgnored: boolean
  /** Of git. */
  readonly environment: GitEnvironment
}

export interface Finding extends Omit<Sighting, 'at' | 'text'> {
  readonly where: 'file' | 'history'
  /** Relative to what was scanned; in history as of the commit, empty where no commit has it any more. */
  readonly path: string
  /** SHA-256 of the whole secret, hexadecimal: tells equal ones, and is what GitHub's `token_hash` is. */
  readonly fingerprint: string
  /** Object and commit, in history. */
  readonly object?: string
  readonly commit?: string
  /** In how many contents it stands; in history each version of a file is one. */
  readonly occurrences: number
}

export interface ScanFigures {
  files: number
  objects: number
  bytes: number
  binary: number
  tooLarge: number
  unreadable: number
}

/** Distinct findings that are kept; the rest is counted with the figures alone. */
export const maxFindings = 10_000
