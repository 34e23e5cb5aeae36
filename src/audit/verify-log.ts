/**
 * The whole of a log against its checkpoint: every entry is hashed anew, every tile compared with what must be in it, and
 * every file looked at, so that nothing that was changed, removed, moved, cut off or added stays unseen.
 *
 * Works on files alone. What it cannot see: a log that was replaced as a whole by an older state of itself, with its
 * guard. For that, give it a checkpoint that was kept elsewhere (`earlier`).
 */
import type { DurableFiles } from '../ports/durable-files.ts'
import type { Checkpoint } from './checkpoint-text.ts'
import { readBundle } from './entry-bundle.ts'
import type { KeptCheckpoint } from './kept-checkpoints.ts'
import { LogDamage } from './log-reader.ts'
import { rootOfEdges } from './log-tree.ts'
import { hashBytes, hashLeaf, rootOfHashes } from './merkle.ts'
import { NoteError, type VerifierKey } from './signed-note.ts'
import { checkpointFile, openCheckpoint } from './tile-log.ts'
import { hashesOfLevel, parseTilePath, type Tile, tileOfSize, tilePath, tileWidth } from './tile-path.ts'

export interface VerifyOptions {
  readonly files: Pick<DurableFiles, 'read' | 'list'>
  /** All of them must have signed the checkpoint. */
  readonly keys: readonly VerifierKey[]
  /** Checkpoints (signed notes) that were kept elsewhere: the log must be what came of them. */
  readonly earlier: readonly KeptCheckpoint[]
}

export interface Verdict {
  /** Null: there is none that holds. */
  readonly checkpoint: Checkpoint | null
  /** Sentences; empty: the log is what it was. Bound: `maxProblems`. */
  readonly problems: readonly string[]
}

const maxProblems = 100
/** A log that is written meanwhile may be ahead of the checkpoint that was read. */
const maxAttempts = 5

class Problems {
  readonly list: string[] = []

  add(problem: string): void {
    if (this.list.length < maxProblems) this.list.push(problem)
    else if (this.list.length === maxProblems) this.list.push('There are more.')
  }
}

export async function verifyLog(options: VerifyOptions): Promise<Verdict> {
  for (let attempt = 1; ; attempt += 1) {
    const note = await options.files.read(checkpointFile)
    const verdict = await verifyAgainst(note, options)
    if (verdict.problems.length === 0 || attempt === maxAttempts) return verdict
    // Somebody wrote meanwhile: what looks wrong may be of the next checkpoint.
    const after = await options.files.read(checkpointFile)
    if (note === null || after === null || note.equals(after)) return verdict
  }
}

async function verifyAgainst(note: Buffer | null, options: VerifyOptions): Promise<Verdict> {
  const problems = new Problems()
  const checkpoint = tryOpen('The checkpoint', note, { keys: options.keys, problems })
  if (checkpoint === null) return { checkpoint, problems: problems.list }
  const earlier = options.earlier.flatMap(({ name, note: kept }) => {
    const opened = tryOpen(`The checkpoint ${name}`, kept, { keys: options.keys, problems })
    return opened === null ? [] : [{ name, ...opened }]
  })
  const edges: Buffer[][] = []
  const bySize = Map.groupBy(earlier, ({ size }) => size)
  await verifyTiles(checkpoint.size, options.files, { problems, earlier: bySize, edges })
  if (!rootOfEdges(edges).equals(checkpoint.root)) {
    problems.add('The entries do not have the root of the checkpoint.')
  }
  for (const { name, size } of earlier.filter(({ size }) => size > checkpoint.size)) {
    problems.add(
      `The log was cut back: it had ${size} entries by the checkpoint ${name}, and has ${checkpoint.size}.`,
    )
  }
  for (const path of await options.files.list()) {
    const problem = await strayProblem(path, checkpoint.size, options.files)
    if (problem !== null) problems.add(problem)
  }
  return { checkpoint, problems: problems.list }
}

function tryOpen(
  what: string,
  note: Buffer | null,
  { keys, problems }: { readonly keys: readonly VerifierKey[]; readonly problems: Problems },
): Checkpoint | null {
  try {
    if (note === null) throw new LogDamage('it is missing')
    return openCheckpoint(note, keys)
  } catch (error) {
    if (!(error instanceof NoteError) && !(error instanceof LogDamage)) throw error
    problems.add(`${what} does not hold: ${error.message}`)
    return null
  }
}

interface Walk {
  readonly problems: Problems
  /** By size. */
  readonly earlier: ReadonlyMap<number, readonly ({ readonly name: string } & Checkpoint)[]>
  /** Of each level the hashes that are in no full tile yet. */
  readonly edges: Buffer[][]
}

/** From the entries up: each bundle, the tile of its hashes, and what becomes full with it. */
async function verifyTiles(size: number, files: VerifyOptions['files'], walk: Walk): Promise<void> {
  checkEarlier(0, walk)
  for (let index = 0; ; index += 1) {
    const bundle = tileOfSize(size, 'entries', index)
    if (bundle === null) break
    const entries = await readEntries(bundle, files, walk.problems)
    const hashes: Buffer[] = []
    walk.edges[0] = hashes
    for (const entry of entries) {
      hashes.push(hashLeaf(entry))
      checkEarlier(index * tileWidth + hashes.length, walk)
    }
    await closeTile({ level: 0, index, width: bundle.width }, files, walk)
  }
  for (const [level, hashes] of walk.edges.entries()) {
    const tile = tileOfSize(size, level, hashesOfLevel(size, level + 1))
    if (level > 0 && tile !== null && hashes.length > 0)
      await compareTile(tile, hashes, { files, problems: walk.problems })
  }
}

/** Compares a tile with the hashes gathered for it; a full one becomes one hash of the level above. */
async function closeTile(
  tile: Tile & { level: number },
  files: VerifyOptions['files'],
  walk: Walk,
): Promise<void> {
  const hashes = walk.edges[tile.level] ?? []
  await compareTile(tile, hashes, { files, problems: walk.problems })
  if (tile.width < tileWidth) return
  walk.edges[tile.level] = []
  const above = walk.edges[tile.level + 1] ?? []
  walk.edges[tile.level + 1] = above
  above.push(rootOfHashes(hashes))
  if (above.length < tileWidth) return
  const index = Math.floor(tile.index / tileWidth)
  await closeTile({ level: tile.level + 1, index, width: tileWidth }, files, walk)
}

function checkEarlier(size: number, { earlier, edges, problems }: Walk): void {
  for (const { name, root } of earlier.get(size) ?? []) {
    if (!rootOfEdges(edges).equals(root))
      problems.add(`The first ${size} entries are not those of the checkpoint ${name}.`)
  }
}

/** As many as the tile is wide: empty ones stand for what cannot be read, and give another root. */
async function readEntries(
  tile: Tile,
  files: VerifyOptions['files'],
  problems: Problems,
): Promise<readonly Uint8Array[]> {
  const path = tilePath(tile)
  const bytes = await files.read(path)
  const entries = bytes === null ? null : readBundle(bytes)
  if (bytes === null) problems.add(`${path} is missing.`)
  else if (entries?.length !== tile.width) problems.add(`${path} does not hold ${tile.width} entries.`)
  const found = entries ?? []
  return Array.from({ length: tile.width }, (_, at) => found[at] ?? Buffer.alloc(0))
}

async function compareTile(
  tile: Tile,
  hashes: readonly Buffer[],
  { files, problems }: { readonly files: VerifyOptions['files']; readonly problems: Problems },
): Promise<void> {
  const path = tilePath(tile)
  const bytes = await files.read(path)
  if (bytes === null) return problems.add(`${path} is missing.`)
  if (bytes.equals(Buffer.concat(hashes))) return
  const first = hashes.findIndex(
    (hash, at) => !hash.equals(bytes.subarray(at * hashBytes, (at + 1) * hashBytes)),
  )
  const place = first < 0 ? 'is too long' : `differs from place ${first} on`
  problems.add(`${path} ${place}: it, or what it stands for, was changed.`)
}

/** What is wrong with a file that the checkpoint does not need; null: nothing. */
async function strayProblem(
  path: string,
  size: number,
  files: VerifyOptions['files'],
): Promise<string | null> {
  if (path === checkpointFile) return null
  const tile = parseTilePath(path)
  if (tile === null) return `${path} is no file of a log.`
  const needed = tileOfSize(size, tile.level, tile.index)
  if (needed === null || needed.width < tile.width) {
    return `${path} is beyond the checkpoint: the log was cut back, or stopped while it was written; in that case the gateway clears it up when it starts.`
  }
  if (needed.width === tile.width) return null
  // An earlier state of a tile, which the later one must begin with.
  const [bytes, whole] = [await files.read(path), await files.read(tilePath(needed))]
  if (bytes === null || whole === null) return null
  const width = tile.level === 'entries' ? readBundle(bytes)?.length : bytes.length / hashBytes
  const isPart = bytes.equals(whole.subarray(0, bytes.length)) && width === tile.width
  return isPart ? null : `${path} is not what its tile began with: it was changed.`
}
