/**
 * Proof that an entry is in a log (C2SP tlog-proof@v1): one text file with the entry itself as its extra data, its index,
 * the way from its hash to the root, and the checkpoint. It is checked with nothing but the verifier keys.
 */
import { entryId } from './entry.ts'
import { hashesFromTiles, LogDamage, type LogFiles, readTileEntries } from './log-reader.ts'
import { hashBytes, hashLeaf, isIncluded, proveInclusion } from './merkle.ts'
import { maxNoteBytes, NoteError, type VerifierKey } from './signed-note.ts'
import { checkpointFile, openCheckpoint } from './tile-log.ts'
import { tileOfSize, tileWidth } from './tile-path.ts'

const header = 'c2sp.org/tlog-proof@v1'
/** More than a tree of safe integers is high. */
const maxHashes = 64

interface Proof {
  readonly index: number
  readonly entry: Buffer
  readonly hashes: readonly Buffer[]
  readonly checkpoint: string
}

function formatProof({ index, entry, hashes, checkpoint }: Proof): string {
  const lines = [header, `extra ${entry.toString('base64')}`, `index ${index}`]
  return `${[...lines, ...hashes.map((hash) => hash.toString('base64'))].join('\n')}\n\n${checkpoint}`
}

/** Null for what is no proof with an entry in it, or is written in another way than `formatProof` does. */
function parseProof(text: string): Proof | null {
  const split = text.indexOf('\n\n')
  if (split < 0 || text.length > maxNoteBytes) return null
  const [, extra = '', index = '', ...encoded] = text.slice(0, split).split('\n')
  const proof = {
    index: Number(index.slice('index '.length)),
    entry: Buffer.from(extra.slice('extra '.length), 'base64'),
    hashes: encoded.map((line) => Buffer.from(line, 'base64')),
    checkpoint: text.slice(split + 2),
  }
  const isSound =
    Number.isSafeInteger(proof.index) &&
    proof.hashes.length <= maxHashes &&
    proof.hashes.every((hash) => hash.length === hashBytes)
  return isSound && formatProof(proof) === text ? proof : null
}

export interface LogUnderKeys {
  readonly files: LogFiles
  readonly keys: readonly VerifierKey[]
}

/** Every entry of the log, in order. @throws LogDamage, NoteError */
export async function* readEntries({ files, keys }: LogUnderKeys): AsyncGenerator<{
  readonly index: number
  readonly entry: Buffer
}> {
  const { size } = await openPublished({ files, keys })
  for (let index = 0; ; index += 1) {
    const tile = tileOfSize(size, 'entries', index)
    if (tile === null) return
    for (const [at, entry] of (await readTileEntries(files, tile)).entries()) {
      yield { index: index * tileWidth + at, entry }
    }
  }
}

/** The checkpoint of a log. @throws LogDamage, NoteError */
export async function openPublished({ files, keys }: LogUnderKeys) {
  const note = await files.read(checkpointFile)
  if (note === null) throw new LogDamage('the checkpoint is missing')
  return { ...openCheckpoint(note, keys), note: note.toString('utf8') }
}

/**
 * Proof of the entry with this id, or at this index where it is a number; null: there is none.
 * @throws LogDamage where the log does not fit its checkpoint, NoteError
 */
export async function proveEntry(wanted: string, log: LogUnderKeys): Promise<string | null> {
  const { size, root, note } = await openPublished(log)
  for await (const { index, entry } of readEntries(log)) {
    if (index >= size || (entryId(entry) !== wanted && String(index) !== wanted)) continue
    const hashes = await proveInclusion(index, size, hashesFromTiles(log.files, size))
    if (!isIncluded({ index, size, leafHash: hashLeaf(entry), root, proof: hashes })) {
      throw new LogDamage(`the entry ${index} is not the one that was published`)
    }
    return formatProof({ index, entry, hashes, checkpoint: note })
  }
  return null
}

export interface CheckedProof {
  readonly index: number
  /** Size of the log that the checkpoint is of. */
  readonly size: number
  readonly origin: string
  /** JSON. */
  readonly entry: string
}

/** What a proof proves. @throws NoteError, LogDamage where it proves nothing */
export function checkProof(text: string, keys: readonly VerifierKey[]): CheckedProof {
  const proof = parseProof(text)
  if (proof === null) throw new NoteError('This is no proof of an entry (tlog-proof@v1).')
  const { origin, size, root } = openCheckpoint(Buffer.from(proof.checkpoint), keys)
  const { index, entry, hashes } = proof
  if (!isIncluded({ index, size, leafHash: hashLeaf(entry), root, proof: hashes })) {
    throw new NoteError('The entry is not in the log of this checkpoint.')
  }
  return { index, size, origin, entry: entry.toString('utf8') }
}
