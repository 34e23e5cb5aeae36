/**
 * Names of the files of a log (C2SP tlog-tiles):
 *
 *   tile/0/x001/x234/067        256 hashes; `.p/<width>` after it: 1 to 255 of them
 *   tile/entries/x001/x234/067  the entries of the tile of level 0 with the same number
 */
export const tileWidth = 256

export interface Tile {
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to `tileWidth`. */
  readonly width: number
}

export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  const name = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  return `tile/${level}/${name}${width === tileWidth ? '' : `.p/${width}`}`
}

const pathPattern = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/

/** Null for what is no such name, or another spelling of one. */
export function parseTilePath(path: string): Tile | null {
  const [, level, name, width] = pathPattern.exec(path) ?? []
  if (level === undefined || name === undefined) return null
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(name.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  return tile.width > 0 && tilePath(tile) === path ? tile : null
}

/** How many hashes of `level` a tree of `size` leaves has: its full trees of 256^level leaves. */
export function hashesOfLevel(size: number, level: number): number {
  return Math.floor(size / tileWidth ** level)
}

/** The tile at `index` of `level` as it is in a tree of `size` leaves; null: it has nothing in it. */
export function tileOfSize(size: number, level: Tile['level'], index: number): Tile | null {
  const hashes = hashesOfLevel(size, level === 'entries' ? 0 : level)
  const width = Math.min(tileWidth, hashes - index * tileWidth)
  return width > 0 ? { level, index, width } : null
}
