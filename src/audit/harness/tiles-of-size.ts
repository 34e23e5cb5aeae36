import { hashesOfLevel, type Tile, tileOfSize } from '../tile-path.ts'

/** Every tile that a log of `size` entries must have, entries included. */
export function* tilesOfSize(size: number): Generator<Tile> {
  for (let level = 0; hashesOfLevel(size, level) > 0; level += 1) {
    for (let index = 0; ; index += 1) {
      const tile = tileOfSize(size, level, index)
      if (tile === null) break
      yield tile
      if (level === 0) yield { ...tile, level: 'entries' }
    }
  }
}
