/**
 * Nodes that share a store watch over each other's audit logs. In turns, each of them
 *
 *   posts its checkpoint, and for each other node a proof that it grew from what that node keeps of it
 *   reads what others post, and keeps it once it is proven to have grown from what it kept before:
 *     `peers/<hash of the origin>` beside its keys, cosigned (C2SP tlog-cosignature) and posted, too
 *
 * So who writes the log of one node anew, or cuts it back, is found by all others, whose files are out of their reach;
 * and what they keep is a checkpoint for `verify`. The keys of a log are those that were first seen of it.
 *
 * Bounds: `maxPosted` rows; `maxPeers` logs are kept, of all nodes that ever were.
 */
import { createHash } from 'node:crypto'
import type { CheckpointBoard, PostedCheckpoint } from '../ports/checkpoint-board.ts'
import type { DurableFiles } from '../ports/durable-files.ts'
import { checkGrowth, growthBounds, proveGrowth } from './consistency-proof.ts'
import { LogDamage, type LogFiles } from './log-reader.ts'
import {
  formatVerifierKey,
  NoteError,
  openNote,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
} from './signed-note.ts'
import type { CheckpointSigner } from './signing-keys.ts'
import { checkpointFile, openCheckpoint } from './tile-log.ts'

const directory = 'peers'
const maxPeers = 1000

export interface PeerParts {
  /** Of the own log. */
  readonly files: LogFiles
  /** Beside the keys. */
  readonly keyFiles: DurableFiles
  readonly signer: CheckpointSigner
  /** Unix milliseconds. */
  readonly now: () => number
}

export interface PeerTrouble {
  readonly log: string
  /** What it is not any more. */
  readonly reason: 'cut-back' | 'rewritten' | 'unsigned'
  /** Entries that it had by what is kept here; 0: nothing is. */
  readonly size: number
}

interface Kept {
  readonly keys: readonly VerifierKey[]
  readonly note: Buffer
  readonly size: number
}

const pathOf = (log: string): string => `${directory}/${createHash('sha256').update(log).digest('hex')}`

function isDamage(error: unknown): boolean {
  return error instanceof NoteError || error instanceof LogDamage
}

async function readKept(log: string, { keyFiles }: PeerParts): Promise<Kept | null> {
  const [note, keyText] = [await keyFiles.read(pathOf(log)), await keyFiles.read(`${pathOf(log)}.keys`)]
  if (note === null || keyText === null) return null
  const keys = keyText.toString('utf8').trim().split('\n').map(parseVerifierKey)
  return { keys, note, size: openCheckpoint(note, keys).size }
}

/** The note with our own signature on it, once each. */
function cosigned(note: Buffer, { signer, now }: PeerParts): Buffer {
  const { text, signatures } = parseNote(note.toString('utf8'))
  if (signatures.some(({ name }) => name === signer.origin)) return note
  return Buffer.concat([note, Buffer.from(signer.cosign(text, now()))])
}

async function keep(log: string, found: Pick<Kept, 'keys' | 'note'>, parts: PeerParts): Promise<void> {
  const { keyFiles } = parts
  const keys = Buffer.from(found.keys.map((key) => `${formatVerifierKey(key)}\n`).join(''))
  await keyFiles.write([
    // First: a note without its keys is not read.
    { path: `${pathOf(log)}.keys`, bytes: keys },
  ])
  await keyFiles.write([{ path: pathOf(log), bytes: cosigned(found.note, parts) }])
}

/** A log that was not seen before: what it posts is believed. */
async function meet({ log, note, keys: texts }: PostedCheckpoint, parts: PeerParts): Promise<void> {
  const known = (await parts.keyFiles.list(directory)).length / 2
  if (known >= maxPeers) return
  const keys = texts.map(parseVerifierKey)
  const bytes = Buffer.from(note)
  openCheckpoint(bytes, keys)
  await keep(log, { keys, note: bytes }, parts)
}

/** Null: it is what it was, or nothing can be said yet. */
async function judge(posted: PostedCheckpoint, parts: PeerParts): Promise<PeerTrouble['reason'] | null> {
  const { log, note, offers } = posted
  const kept = await readKept(log, parts)
  if (kept === null) {
    await meet(posted, parts)
    return null
  }
  const { size, root } = openCheckpoint(Buffer.from(note), kept.keys)
  if (size < kept.size) return 'cut-back'
  if (size === kept.size) return root.equals(openCheckpoint(kept.note, kept.keys).root) ? null : 'rewritten'
  const offer = offers[parts.signer.origin]
  // It proves what was kept a while ago, or nothing yet: the next turn of that node does.
  if (offer === undefined || growthBounds(offer)?.from !== kept.size) return null
  try {
    const { isFromSigned, checkpoint } = checkGrowth(offer, kept.keys, [
      { name: 'that was kept', note: kept.note },
    ])
    if (!isFromSigned || checkpoint === '') return 'rewritten'
    await keep(log, { keys: kept.keys, note: Buffer.from(checkpoint) }, parts)
    return null
  } catch (error) {
    if (!isDamage(error)) throw error
    return 'rewritten'
  }
}

async function look(posted: PostedCheckpoint, parts: PeerParts): Promise<PeerTrouble | null> {
  const { log } = posted
  const reason = await judge(posted, parts).catch((error: unknown) => {
    if (!isDamage(error)) throw error
    return 'unsigned' as const
  })
  if (reason === null) return null
  return { log, reason, size: (await readKept(log, parts).catch(() => null))?.size ?? 0 }
}

/** Sizes of the own log that others keep, by who does. */
function keptOfOwn(rows: readonly PostedCheckpoint[], origin: string, keys: readonly VerifierKey[]) {
  const sizes = new Map<string, number>()
  for (const { keeper, log, note } of rows) {
    if (log !== origin || keeper === origin) continue
    try {
      openNote(note, keys)
      sizes.set(keeper, openCheckpoint(Buffer.from(note), keys).size)
    } catch (error) {
      if (!isDamage(error)) throw error
    }
  }
  return sizes
}

async function postOwn(board: CheckpointBoard, rows: readonly PostedCheckpoint[], parts: PeerParts) {
  const { files, signer } = parts
  const note = await files.read(checkpointFile)
  if (note === null) return
  const offers: Record<string, string> = {}
  for (const [keeper, from] of keptOfOwn(rows, signer.origin, signer.keys)) {
    const proof = await proveGrowth({ from, to: null }, { files, keys: signer.keys })
    if (proof !== null) offers[keeper] = proof
  }
  const own = { keeper: signer.origin, log: signer.origin, note: note.toString('utf8'), offers }
  const posted = rows.find(({ keeper, log }) => keeper === signer.origin && log === signer.origin)
  if (posted?.note === own.note && JSON.stringify(posted.offers) === JSON.stringify(offers)) return
  await board.post({ ...own, keys: signer.keys.map(formatVerifierKey) })
}

async function postKept(board: CheckpointBoard, rows: readonly PostedCheckpoint[], parts: PeerParts) {
  const keeper = parts.signer.origin
  for (const { log } of rows.filter((row) => row.keeper === row.log && row.log !== keeper)) {
    const kept = await readKept(log, parts).catch(() => null)
    const note = kept?.note.toString('utf8')
    const posted = rows.find((row) => row.keeper === keeper && row.log === log)
    if (kept === null || note === undefined || posted?.note === note) continue
    await board.post({ keeper, log, note, keys: kept.keys.map(formatVerifierKey), offers: {} })
  }
}

/** One turn. @throws what the board and the files throw */
export async function exchangeCheckpoints(
  board: CheckpointBoard,
  parts: PeerParts,
): Promise<readonly PeerTrouble[]> {
  const rows = await board.list()
  const troubles: PeerTrouble[] = []
  for (const posted of rows.filter(({ keeper, log }) => keeper === log && log !== parts.signer.origin)) {
    const trouble = await look(posted, parts)
    if (trouble !== null) troubles.push(trouble)
  }
  await postKept(board, rows, parts)
  await postOwn(board, rows, parts)
  return troubles
}
