/** What is done to an audit log in the proof of it: bytes by class, and entries and files as wholes. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** `bytes`: what the file holds then; null: it is removed. */
export interface Change {
  readonly path: string
  readonly bytes: Buffer | null
}

interface ChangeClass {
  readonly name: string
  readonly changes: readonly Change[] | Iterable<Change>
}

interface Range {
  readonly path: string
  readonly start: number
  readonly end: number
}

function filesOf(data: string, directory: string): readonly string[] {
  return readdirSync(join(data, directory), { recursive: true, encoding: 'utf8' })
    .map((name) => `${directory}/${name.replaceAll('\\', '/')}`)
    .filter((path) => statSync(join(data, path)).isFile())
    .sort()
}

/** Ranges of what the pattern's first group matches. */
function rangesOf(data: string, paths: readonly string[], pattern: RegExp): Range[] {
  return paths.flatMap((path) =>
    [...readFileSync(join(data, path), 'latin1').matchAll(pattern)].flatMap((match) => {
      const group = match[1] ?? match[0]
      const start = match.index + match[0].indexOf(group)
      return [{ path, start, end: start + group.length }]
    }),
  )
}

const wholeFiles = (data: string, paths: readonly string[]): Range[] =>
  paths.map((path) => ({ path, start: 0, end: statSync(join(data, path)).size }))

/** One bit of each of at most `most` places, spread over the ranges. */
function* bitsOf(data: string, ranges: readonly Range[], most: number): Generator<Change> {
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
  const step = Math.max(1, total / most)
  let next = 0
  let before = 0
  for (const { path, start, end } of ranges) {
    const length = end - start
    for (; next < before + length; next += step) {
      const bytes = readFileSync(join(data, path))
      const at = start + Math.floor(next) - before
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      yield { path, bytes }
    }
    before += length
  }
}

/** The length prefixes of a bundle. */
function prefixesOf(data: string, paths: readonly string[]): Range[] {
  return paths.flatMap((path) => {
    const bytes = readFileSync(join(data, path))
    const ranges: Range[] = []
    for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
      ranges.push({ path, start: at, end: at + 2 })
    }
    return ranges
  })
}

export function* byteClasses(data: string, most: number): Generator<ChangeClass> {
  const all = filesOf(data, 'audit')
  const bundles = all.filter((path) => path.startsWith('audit/tile/entries/'))
  const checkpoint = ['audit/checkpoint']
  const classes: readonly (readonly [string, readonly Range[]])[] = [
    ['entries', wholeFiles(data, bundles)],
    ['lengths of entries', prefixesOf(data, bundles)],
    ['times of entries', rangesOf(data, bundles, /"time":(\d+)/g)],
    ['ids of entries', rangesOf(data, bundles, /"id":"(req_\d+)"/g)],
    ['sealed personal fields', rangesOf(data, bundles, /"sealed":"([^"]+)"/g)],
    ['references of subjects', rangesOf(data, bundles, /"subject":"([^"]+)"/g)],
    [
      'tiles of level 0',
      wholeFiles(
        data,
        all.filter((path) => path.startsWith('audit/tile/0/')),
      ),
    ],
    [
      'tiles of level 1',
      wholeFiles(
        data,
        all.filter((path) => path.startsWith('audit/tile/1/')),
      ),
    ],
    ['the origin of the checkpoint', rangesOf(data, checkpoint, /^[^\n]+/g)],
    ['the size of the checkpoint', rangesOf(data, checkpoint, /^[^\n]+\n(\d+)\n/g)],
    ['the root of the checkpoint', rangesOf(data, checkpoint, /^[^\n]+\n\d+\n([^\n]+)/g)],
    ['the signatures of the checkpoint', rangesOf(data, checkpoint, /\n\n([\s\S]+)$/g)],
    ['the guard', wholeFiles(data, ['audit-keys/last-checkpoint'])],
    ['the verifier keys', wholeFiles(data, ['audit-keys/verifier-keys'])],
  ]
  for (const [name, ranges] of classes) yield { name, changes: bitsOf(data, ranges, most) }
}

/** The entries of a bundle, each with its length before it. */
function partsOf(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at)
    parts.push(bytes.subarray(at, end))
    at = end
  }
  return parts
}

type Rewrite = (parts: readonly Buffer[], at: number) => readonly Buffer[]

const rewrites: readonly (readonly [string, Rewrite])[] = [
  ['an entry removed', (parts, at) => parts.toSpliced(at, 1)],
  ['an entry twice', (parts, at) => parts.toSpliced(at, 0, ...parts.slice(at, at + 1))],
  [
    'two entries exchanged',
    (parts, at) => {
      const [one, other] = [at % (parts.length - 1), (at % (parts.length - 1)) + 1]
      return parts.map((part, place) => parts[place === one ? other : place === other ? one : place] ?? part)
    },
  ],
  ['all entries from one on cut off', (parts, at) => parts.slice(0, at)],
]

export function* structuralChanges(data: string, most: number): Generator<ChangeClass> {
  const all = filesOf(data, 'audit')
  // Bundles that the checkpoint needs; what is left of earlier sizes may go.
  const size = Number(readFileSync(join(data, 'audit/checkpoint'), 'utf8').split('\n')[1])
  const isNeeded = (path: string): boolean => {
    const width = /\.p\/(\d+)$/.exec(path)?.[1]
    const hashes = path.startsWith('audit/tile/1/') ? Math.floor(size / 256) : size
    return width === undefined || Number(width) === hashes % 256
  }
  const bundles = all.filter((path) => path.startsWith('audit/tile/entries/') && isNeeded(path))
  for (const [name, rewrite] of rewrites) {
    yield {
      name,
      changes: bundles.flatMap((path) => {
        const parts = partsOf(readFileSync(join(data, path)))
        const places = parts.map((_, at) => at).filter((at) => at % Math.ceil(parts.length / most) === 0)
        return places.map((at) => ({ path, bytes: Buffer.concat(rewrite(parts, at)) }))
      }),
    }
  }
  yield { name: 'a file removed', changes: all.filter(isNeeded).map((path) => ({ path, bytes: null })) }
  yield {
    name: 'a file cut short, or longer than it was',
    changes: all.flatMap((path) => {
      const whole = readFileSync(join(data, path))
      return [
        whole.subarray(0, -1),
        whole.subarray(0, -32),
        whole.subarray(1),
        Buffer.concat([whole, whole]),
      ].map((bytes) => ({ path, bytes }))
    }),
  }
  yield {
    name: 'a file with the bytes of another',
    changes: all.flatMap((path, at) => {
      const bytes = readFileSync(join(data, all[(at + 1) % all.length] ?? path))
      return bytes.equals(readFileSync(join(data, path))) ? [] : [{ path, bytes }]
    }),
  }
  yield {
    name: 'a file added',
    changes: ['tile/0/003', 'tile/entries/003', 'tile/2/000', 'note'].map((name) => ({
      path: `audit/${name}`,
      bytes: Buffer.alloc(32),
    })),
  }
}
