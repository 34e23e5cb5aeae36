/**
 * The right edge of a log's tree, from which it grows: of each level the hashes of the tile that is not full, and the
 * entries of the bundle that is not full.
 *
 *   level 1   [ h h h · · · ]          each h: root of a full tile of level 0
 *   level 0   [ h h h h h · ]          each h: one entry
 *   entries   [ e e e e e · ]
 *
 * `append` gives the files that hold the grown tree and leaves this one as it is, so that a failed write changes nothing.
 * Bound: 255 entries and 255 hashes for each level.
 */
import type { FileContent } from '../ports/durable-files.ts'
import { writeBundle } from './entry-bundle.ts'
import { hashBytes, hashLeaf, hashNode, rootOfHashes } from './merkle.ts'
import { hashesOfLevel, type Tile, tilePath, tileWidth } from './tile-path.ts'

export interface LogTree {
  readonly size: number
  /** By level; shorter than `tileWidth`. */
  readonly edges: readonly (readonly Buffer[])[]
  /** Entries behind the hashes of level 0. */
  readonly entries: readonly Uint8Array[]
}

export const emptyTree: LogTree = { size: 0, edges: [], entries: [] }

/** Root of a tree by its edges: of each level, lowest first, the hashes that are in no full tile. */
export function rootOfEdges(edges: readonly (readonly Buffer[])[]): Buffer {
  let smaller: Buffer | null = null
  for (const hashes of edges) {
    const all: readonly Buffer[] = smaller === null ? hashes : [...hashes, smaller]
    if (all.length > 0) smaller = rootOfHashes(all)
  }
  return smaller ?? rootOfHashes([])
}

export interface GrownTree {
  readonly tree: LogTree
  readonly files: readonly FileContent[]
}

export function growTree(tree: LogTree, added: readonly Uint8Array[]): GrownTree {
  const edges = tree.edges.map((hashes) => [...hashes])
  let entries = [...tree.entries]
  let size = tree.size
  const files = new Map<string, FileContent>()
  const put = (tile: Tile, bytes: Uint8Array): void => {
    const path = tilePath(tile)
    files.set(path, { path, bytes })
  }
  const changed = new Set<number>()
  const push = (level: number, hash: Buffer): void => {
    const hashes = edges[level] ?? []
    edges[level] = hashes
    hashes.push(hash)
    changed.add(level)
    if (hashes.length < tileWidth) return
    const index = hashesOfLevel(size, level + 1) - 1
    put({ level, index, width: tileWidth }, Buffer.concat(hashes))
    edges[level] = []
    push(level + 1, rootOfHashes(hashes))
  }
  for (const entry of added) {
    size += 1
    entries.push(entry)
    if (entries.length === tileWidth) {
      put({ level: 'entries', index: size / tileWidth - 1, width: tileWidth }, writeBundle(entries))
      entries = []
    }
    push(0, hashLeaf(entry))
  }
  for (const level of changed) {
    const hashes = edges[level] ?? []
    const index = hashesOfLevel(size, level + 1)
    if (hashes.length > 0) put({ level, index, width: hashes.length }, Buffer.concat(hashes))
  }
  if (entries.length > 0) {
    const index = Math.floor(size / tileWidth)
    put({ level: 'entries', index, width: entries.length }, writeBundle(entries))
  }
  return { tree: { size, edges, entries }, files: [...files.values()] }
}

/** The hashes of a tile file; null where it has another length than its width. */
export function readHashes(bytes: Buffer, width: number): Buffer[] | null {
  if (bytes.length !== width * hashBytes) return null
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes))
}

/** Roots of the full trees of `2 ** level` hashes, for proofs; `level` is below 8. */
export function combineHashes(hashes: readonly Buffer[], level: number): Buffer[] {
  let combined = [...hashes]
  for (let step = 0; step < level; step += 1) {
    combined = Array.from({ length: Math.floor(combined.length / 2) }, (_, at) =>
      hashNode(combined[at * 2] ?? Buffer.alloc(0), combined[at * 2 + 1] ?? Buffer.alloc(0)),
    )
  }
  return combined
}
