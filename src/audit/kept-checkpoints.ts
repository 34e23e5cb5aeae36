/**
 * Checkpoints that somebody kept, in whatever they were kept in: a signed note as it is, or any text in which notes
 * stand in base64, as events of checkpoints carry them: JSON lines, exports of a search, CEF, syslog.
 */
import { parseCheckpointText } from './checkpoint-text.ts'
import { NoteError, parseNote, type VerifierKey } from './signed-note.ts'

export interface KeptCheckpoint {
  readonly name: string
  readonly note: Buffer
}

const encodedTexts = /[A-Za-z0-9+/]+/g
/** Shorter ones hold no checkpoint: an origin, a root and one signature. */
const leastEncodedLength = 160

function originOf(note: string): string | null {
  try {
    return parseCheckpointText(parseNote(note).text)?.origin ?? null
  } catch (error) {
    if (error instanceof NoteError) return null
    throw error
  }
}

/**
 * Those of the log that `keys` are of, each once; of a text that is a note itself, that one, whatever it is of. Whether
 * they are signed is not looked at.
 * @throws NoteError where there is none
 */
export function readKeptCheckpoints(
  { name, bytes }: { readonly name: string; readonly bytes: Buffer },
  keys: readonly VerifierKey[],
): readonly KeptCheckpoint[] {
  const text = bytes.toString('utf8')
  const names = new Set(keys.map((key) => key.name))
  const notes = new Set<string>()
  for (const [encoded] of text.matchAll(encodedTexts)) {
    if (encoded.length < leastEncodedLength) continue
    const note = Buffer.from(encoded, 'base64').toString('utf8')
    const origin = originOf(note)
    if (origin !== null && names.has(origin)) notes.add(note)
  }
  if (notes.size > 0)
    return [...notes].map((note, at) => ({ name: `${name} (${at + 1})`, note: Buffer.from(note) }))
  // What is damaged is told of by who holds the log against it.
  if (text.includes('\n\n\u2014 ')) return [{ name, note: bytes }]
  throw new NoteError(`${name} holds no checkpoint of this log.`)
}
