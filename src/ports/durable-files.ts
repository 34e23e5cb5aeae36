/**
 * Port: a tree of small files, each of which is there whole or not at all, whatever dies. One writer at a time.
 *
 * Guarantees: what `write` has resolved for survives a loss of power under its name; a file that is replaced is at no
 * moment half old and half new; what `remove` has resolved for does not come back.
 */
export interface FileContent {
  /** Parts of lower-case letters, digits, `-`, `_` and `.`, joined by `/`; no part begins with a dot. */
  readonly path: string
  readonly bytes: Uint8Array
}

export interface DurableFiles {
  /** Null: there is none of this name. */
  read(path: string): Promise<Buffer | null>
  /** All files are on disk once it resolves. Where it rejects, any of them may be there, each whole. */
  write(files: readonly FileContent[]): Promise<void>
  /** Nothing where there is no such file. */
  remove(path: string): Promise<void>
  /** Every path below `directory` (default: all), in order of their text; none where there is no such directory. */
  list(directory?: string): Promise<readonly string[]>
}
