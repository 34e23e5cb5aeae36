/**
 * Proof that a log of one size grew from what it was at a smaller one (RFC 9162 §2.1.4), as one text file; there is no
 * published format for such a file.
 *
 *   gatewright consistency-proof v1
 *   from <size> <root>
 *   to <size> <root>
 *   <hash> …
 *
 *   <checkpoint, where it is of the larger size>
 *
 * It is checked without the log. What it says of a root holds as far as a signed checkpoint has that root: its own, or
 * one that somebody kept.
 */
import type { KeptCheckpoint } from './kept-checkpoints.ts'
import { hashesFromTiles, LogDamage } from './log-reader.ts'
import { hashBytes, isConsistent, proveConsistency, rootOfSize, type TreeHead } from './merkle.ts'
import { type LogUnderKeys, openPublished } from './proof.ts'
import { maxNoteBytes, NoteError, type VerifierKey } from './signed-note.ts'
import { openCheckpoint } from './tile-log.ts'

const header = 'gatewright consistency-proof v1'
/** Twice as many as a tree of safe integers is high. */
const maxHashes = 128

interface ConsistencyProof {
  readonly from: TreeHead
  readonly to: TreeHead
  readonly hashes: readonly Buffer[]
  /** Signed note; empty: none. */
  readonly checkpoint: string
}

function formatHead(name: string, { size, root }: TreeHead): string {
  return `${name} ${size} ${Buffer.from(root).toString('base64')}`
}

function format({ from, to, hashes, checkpoint }: ConsistencyProof): string {
  const lines = [header, formatHead('from', from), formatHead('to', to)]
  return `${[...lines, ...hashes.map((hash) => hash.toString('base64'))].join('\n')}\n\n${checkpoint}`
}

function parseHead(line = ''): TreeHead {
  const [, size, root = ''] = line.split(' ')
  return { size: Number(size), root: Buffer.from(root, 'base64') }
}

/** Null for what is none, or is written in another way than `format` does. */
function parse(text: string): ConsistencyProof | null {
  const split = text.indexOf('\n\n')
  if (split < 0 || text.length > maxNoteBytes) return null
  const [, from, to, ...encoded] = text.slice(0, split).split('\n')
  const proof = {
    from: parseHead(from),
    to: parseHead(to),
    hashes: encoded.map((line) => Buffer.from(line, 'base64')),
    checkpoint: text.slice(split + 2),
  }
  const isSound =
    proof.hashes.length <= maxHashes &&
    [proof.from.root, proof.to.root].every((root) => root.length === hashBytes)
  return isSound && format(proof) === text ? proof : null
}

export function isConsistencyProof(text: string): boolean {
  return text.startsWith(`${header}\n`)
}

/** The sizes that it is about; null: it is none. */
export function growthBounds(text: string): { readonly from: number; readonly to: number } | null {
  const proof = parse(text)
  return proof === null ? null : { from: proof.from.size, to: proof.to.size }
}

export interface LogGrowth {
  readonly from: number
  /** Null: the size of the checkpoint. */
  readonly to: number | null
}

/** Null: the log has not that many entries. @throws LogDamage where the tiles do not fit the checkpoint, NoteError */
export async function proveGrowth(growth: LogGrowth, log: LogUnderKeys): Promise<string | null> {
  const { size, root, note } = await openPublished(log)
  const to = growth.to ?? size
  if (to > size || growth.from > to) return null
  const hashOf = hashesFromTiles(log.files, size)
  const headOf = async (each: number): Promise<TreeHead> => ({
    size: each,
    root: await rootOfSize(each, hashOf),
  })
  const published = await headOf(size)
  if (!root.equals(published.root)) throw new LogDamage('the tiles do not have the root of the checkpoint')
  const hashes = await proveConsistency(growth.from, to, hashOf)
  const checkpoint = to === size ? note : ''
  return format({ from: await headOf(growth.from), to: await headOf(to), hashes, checkpoint })
}

export interface CheckedGrowth {
  readonly from: number
  readonly to: number
  /** Base64. */
  readonly fromRoot: string
  readonly toRoot: string
  /** True: a kept checkpoint has the root of the smaller size. */
  readonly isFromSigned: boolean
  /** Of the larger size, as the proof has it; empty: it has none. */
  readonly checkpoint: string
}

/** What the proof proves, `kept` being checkpoints of either size. @throws NoteError, LogDamage where it proves nothing */
export function checkGrowth(
  text: string,
  keys: readonly VerifierKey[],
  kept: readonly KeptCheckpoint[],
): CheckedGrowth {
  const proof = parse(text)
  if (proof === null) throw new NoteError('This is no consistency proof.')
  const { from, to, hashes, checkpoint } = proof
  if (!isConsistent(from, to, hashes))
    throw new NoteError(`The log of ${to.size} entries did not grow from that of ${from.size}.`)
  const own = checkpoint === '' ? [] : [{ name: 'in the proof', note: Buffer.from(checkpoint) }]
  const signed = new Set<TreeHead>()
  for (const { name, note } of [...own, ...kept]) {
    const { size, root } = openCheckpoint(note, keys)
    const heads = [from, to].filter((head) => head.size === size)
    if (heads.length === 0)
      throw new NoteError(`The checkpoint ${name} is of ${size} entries: of neither size.`)
    if (!heads.every((head) => root.equals(head.root)))
      throw new NoteError(`The checkpoint ${name} has another root for its ${size} entries.`)
    for (const head of heads) signed.add(head)
  }
  if (!signed.has(to))
    throw new NoteError(
      `Nothing signed says what the ${to.size} entries are: give a checkpoint of that size.`,
    )
  return {
    from: from.size,
    to: to.size,
    fromRoot: Buffer.from(from.root).toString('base64'),
    toRoot: Buffer.from(to.root).toString('base64'),
    isFromSigned: signed.has(from),
    checkpoint,
  }
}
