/** Reading a log's files: single tiles, its right edge, hashes for proofs. */
import type { DurableFiles } from '../ports/durable-files.ts'
import { readBundle } from './entry-bundle.ts'
import { combineHashes, type LogTree, readHashes } from './log-tree.ts'
import type { FullTreeHash } from './merkle.ts'
import { hashesOfLevel, type Tile, tileOfSize, tilePath, tileWidth } from './tile-path.ts'

export type LogFiles = Pick<DurableFiles, 'read'>

/** The log's files do not hold what its checkpoint says. */
export class LogDamage extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LogDamage'
  }
}

/** The bytes of a tile; of the full one where the partial one has made way for it. */
async function readTileBytes(files: LogFiles, tile: Tile): Promise<Buffer> {
  const bytes = await files.read(tilePath(tile))
  const found = bytes ?? (await files.read(tilePath({ ...tile, width: tileWidth })))
  if (found === null) throw new LogDamage(`${tilePath(tile)} is missing`)
  return found
}

/** @throws LogDamage */
export async function readTileHashes(files: LogFiles, tile: Tile): Promise<readonly Buffer[]> {
  const bytes = await readTileBytes(files, tile)
  const hashes = readHashes(bytes, tile.width) ?? readHashes(bytes, tileWidth)
  if (hashes === null) throw new LogDamage(`${tilePath(tile)} has ${bytes.length} bytes`)
  return hashes.slice(0, tile.width)
}

/** @throws LogDamage */
export async function readTileEntries(files: LogFiles, tile: Tile): Promise<readonly Buffer[]> {
  const entries = readBundle(await readTileBytes(files, tile))
  const isWhole = entries?.length === tile.width || entries?.length === tileWidth
  if (entries === null || !isWhole)
    throw new LogDamage(`${tilePath(tile)} does not hold ${tile.width} entries`)
  return entries.slice(0, tile.width)
}

/** @throws LogDamage */
export async function readTree(files: LogFiles, size: number): Promise<LogTree> {
  const edges: (readonly Buffer[])[] = []
  for (let level = 0; hashesOfLevel(size, level) > 0; level += 1) {
    const tile = tileOfSize(size, level, hashesOfLevel(size, level + 1))
    edges.push(tile === null ? [] : await readTileHashes(files, tile))
  }
  const bundle = tileOfSize(size, 'entries', hashesOfLevel(size, 1))
  return { size, edges, entries: bundle === null ? [] : await readTileEntries(files, bundle) }
}

/** Hashes of full trees of a log of `size` entries, from its tiles. Bound: it keeps what it has read of 64 tiles. */
export function hashesFromTiles(files: LogFiles, size: number): FullTreeHash {
  const kept = new Map<string, readonly Buffer[]>()
  async function tileAt(level: number, index: number): Promise<readonly Buffer[]> {
    const tile = tileOfSize(size, level, index)
    if (tile === null) throw new LogDamage(`a tree of ${size} has no tile ${index} of level ${level}`)
    const path = tilePath(tile)
    const hashes = kept.get(path) ?? (await readTileHashes(files, tile))
    if (kept.size >= 64) kept.clear()
    kept.set(path, hashes)
    return hashes
  }
  return async (height, index) => {
    const level = Math.floor(height / 8)
    const within = height % 8
    const first = index * 2 ** within
    const hashes = await tileAt(level, Math.floor(first / tileWidth))
    const at = first % tileWidth
    const [hash] = combineHashes(hashes.slice(at, at + 2 ** within), within)
    if (hash === undefined)
      throw new LogDamage(`a tree of ${size} has no full tree of 2^${height} at ${index}`)
    return hash
  }
}
