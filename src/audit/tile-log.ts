/**
 * The log that grows: entries come in, a group of them becomes one commit, and nothing is answered before it is
 * published.
 *
 *   append ─▶ queue ──(group: what came meanwhile, every `paceMs` at most)──▶ tiles and entries on disk
 *                                                                              ─▶ checkpoint on disk ─▶ answered
 *                                                                              ─▶ the same, kept elsewhere (guard)
 *
 * A checkpoint is signed only over files that are on disk, and only if the tree has grown from the one before. After a
 * failure nobody knows how much of a commit is there: the next one begins by reading the log again. What a crash leaves
 * beyond the checkpoint is removed on opening; the checkpoint itself, and everything under it, is never mended: a log
 * that does not fit its checkpoint, or its guard, is not opened.
 *
 * Bounds: `maxQueued` entries wait; a commit takes `maxGroup`, so that it touches two tiles of a level at most.
 */
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { DurableFiles } from '../ports/durable-files.ts'
import { type Checkpoint, parseCheckpointText } from './checkpoint-text.ts'
import { maxEntryBytes } from './entry-bundle.ts'
import { hashesFromTiles, LogDamage, readTree } from './log-reader.ts'
import { emptyTree, growTree, type LogTree, rootOfEdges } from './log-tree.ts'
import { hashLeaf, rootOfSize } from './merkle.ts'
import { openNote, type VerifierKey } from './signed-note.ts'
import type { CheckpointSigner } from './signing-keys.ts'
import { hashesOfLevel, parseTilePath, type Tile, tileOfSize, tilePath, tileWidth } from './tile-path.ts'

export const checkpointFile = 'checkpoint'
/** The last published checkpoint, kept apart from the log. */
export const guardFile = 'last-checkpoint'

const maxQueued = 4096
const maxGroup = tileWidth
const defaultPaceMs = 50

export interface TileLogOptions {
  readonly files: DurableFiles
  /** Where the guard lies: not with the log. */
  readonly guard: DurableFiles
  readonly signer: CheckpointSigner
  /** Unix milliseconds. */
  readonly now: () => number
  /** Least time from one commit to the next, milliseconds. */
  readonly paceMs?: number
  /** A checkpoint was published: to be shown to others who keep it. Must not throw. */
  readonly onCheckpoint?: (note: string) => void
}

export interface TileLog {
  /** Index of the entry, once it is published. @throws Fault `audit.unavailable` where it is not */
  append(entry: Uint8Array): Promise<number>
  /** Entries published, and when the last checkpoint was (Unix milliseconds). */
  readonly published: { readonly size: number; readonly at: number }
  /** Publishes what waits and takes no more. */
  close(): Promise<void>
}

interface Waiting {
  readonly entry: Uint8Array
  readonly resolve: (index: number) => void
  readonly reject: (fault: Fault) => void
}

function unavailable(internal: string, cause?: unknown): Fault {
  return new Fault(faults.auditUnavailable, { internal, cause })
}

/** The checkpoint in a note that all of `keys` signed. @throws LogDamage, NoteError */
export function openCheckpoint(note: Buffer, keys: readonly VerifierKey[]): Checkpoint {
  const checkpoint = parseCheckpointText(openNote(note.toString('utf8'), keys).text)
  if (checkpoint === null) throw new LogDamage('the checkpoint is none')
  if (keys.some(({ name }) => name !== checkpoint.origin)) {
    throw new LogDamage(`the checkpoint is of another log: ${checkpoint.origin}`)
  }
  return checkpoint
}

class SequencedLog implements TileLog {
  readonly #options: TileLogOptions
  /** Null: it must be read again. */
  #tree: LogTree | null
  #queue: Waiting[] = []
  #committing: Promise<void> | null = null
  #beganAt = Number.NEGATIVE_INFINITY
  #isClosed = false
  #published: TileLog['published']

  constructor(options: TileLogOptions, tree: LogTree) {
    this.#options = options
    this.#tree = tree
    this.#published = { size: tree.size, at: options.now() }
  }

  get published(): TileLog['published'] {
    return this.#published
  }

  append(entry: Uint8Array): Promise<number> {
    if (this.#isClosed) return Promise.reject(unavailable('the log is closed'))
    if (entry.byteLength > maxEntryBytes) return Promise.reject(unavailable('the entry is too long'))
    if (this.#queue.length >= maxQueued) return Promise.reject(unavailable('too many entries wait'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  async #commitAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const { paceMs = defaultPaceMs } = this.#options
      const waitMs = this.#beganAt + paceMs - performance.now()
      if (waitMs > 0 && !this.#isClosed) await new Promise((resolve) => setTimeout(resolve, waitMs))
      this.#beganAt = performance.now()
      await this.#commit(this.#queue.splice(0, maxGroup))
    }
    this.#committing = null
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      this.#tree ??= await recover(this.#options)
      const before = this.#tree
      // Until all of it is on disk, what is there is not known.
      this.#tree = null
      const grown = growTree(
        before,
        group.map(({ entry }) => entry),
      )
      const note = await this.#publish(grown.tree, () => this.#options.files.write(grown.files))
      this.#tree = grown.tree
      for (const [at, { resolve }] of group.entries()) resolve(before.size + at)
      await this.#afterwards(before.size, note)
    } catch (cause) {
      const fault = unavailable('the audit log cannot be written', cause)
      for (const { reject } of group) reject(fault)
    }
  }

  async #publish(tree: LogTree, writeTiles: () => Promise<void>): Promise<string> {
    const { files, signer, now } = this.#options
    await writeTiles()
    const at = now()
    const note = signer.sign(tree.size, rootOfEdges(tree.edges), at)
    await files.write([{ path: checkpointFile, bytes: Buffer.from(note) }])
    this.#published = { size: tree.size, at }
    return note
  }

  /** What is answered already: trouble here shows when the log is read again. */
  async #afterwards(sizeBefore: number, note: string): Promise<void> {
    const { files, guard, onCheckpoint } = this.#options
    onCheckpoint?.(note)
    try {
      await guard.write([{ path: guardFile, bytes: Buffer.from(note) }])
      await removePartials(files, sizeBefore, this.#published.size)
    } catch {
      this.#tree = null
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#committing
  }
}

/** Tiles that are full now make their partial ones superfluous. */
async function removePartials(files: DurableFiles, before: number, after: number): Promise<void> {
  for (const tile of edgeTiles(before)) {
    const now = tileOfSize(after, tile.level, tile.index)
    if (now?.width !== tileWidth) continue
    for (const path of await files.list(`${tilePath({ ...tile, width: tileWidth })}.p`))
      await files.remove(path)
  }
}

/** The place at the edge of each level, whether or not something is there; one level more than there are. */
function* edgeTiles(size: number): Generator<Pick<Tile, 'level' | 'index'>> {
  yield { level: 'entries', index: hashesOfLevel(size, 1) }
  for (let level = 0; ; level += 1) {
    yield { level, index: hashesOfLevel(size, level + 1) }
    if (hashesOfLevel(size, level) === 0) return
  }
}

/** What a crash left beyond the checkpoint. */
async function removeUnpublished(files: DurableFiles, size: number): Promise<void> {
  for (const edge of edgeTiles(size)) {
    for (const index of [edge.index, edge.index + 1]) {
      const width = tileOfSize(size, edge.level, index)?.width ?? 0
      const full = tilePath({ level: edge.level, index, width: tileWidth })
      if (width < tileWidth) await files.remove(full)
      for (const path of await files.list(`${full}.p`)) {
        if ((parseTilePath(path)?.width ?? 0) > width) await files.remove(path)
      }
    }
  }
}

/** The tree under the checkpoint, held against its signatures, its files and its guard. @throws LogDamage, NoteError */
async function readPublished({ files, guard, signer }: TileLogOptions): Promise<LogTree> {
  const note = await files.read(checkpointFile)
  if (note === null) throw new LogDamage('the checkpoint is missing')
  const { size, root } = openCheckpoint(note, signer.keys)
  const tree = await readTree(files, size)
  if (!rootOfEdges(tree.edges).equals(root))
    throw new LogDamage('the tiles do not have the root of the checkpoint')
  const [level0 = []] = tree.edges
  if (tree.entries.some((entry, at) => !hashLeaf(entry).equals(level0[at] ?? Buffer.alloc(0)))) {
    throw new LogDamage('the last entries do not have the hashes of their tile')
  }
  const guardNote = await guard.read(guardFile)
  if (guardNote !== null) {
    const guarded = openCheckpoint(guardNote, signer.keys)
    if (guarded.size > size) throw new LogDamage(`the log had ${guarded.size} entries and has ${size}`)
    if (!(await rootOfSize(guarded.size, hashesFromTiles(files, size))).equals(guarded.root)) {
      throw new LogDamage(`the first ${guarded.size} entries are not those that were published`)
    }
  }
  return tree
}

async function recover(options: TileLogOptions): Promise<LogTree> {
  const tree = await readPublished(options)
  await removeUnpublished(options.files, tree.size)
  return tree
}

/** An empty log, unless there was ever one. */
async function beginLog({ files, guard, signer, now }: TileLogOptions): Promise<void> {
  if ((await files.read(checkpointFile)) !== null || (await guard.read(guardFile)) !== null) return
  const note = Buffer.from(signer.sign(0, rootOfEdges(emptyTree.edges), now()))
  await files.write([{ path: checkpointFile, bytes: note }])
  await guard.write([{ path: guardFile, bytes: note }])
}

/** @throws LogDamage, NoteError where the files are not what was published */
export async function openTileLog(options: TileLogOptions): Promise<TileLog> {
  await beginLog(options)
  return new SequencedLog(options, await recover(options))
}
