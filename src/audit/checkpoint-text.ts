/** Text of a checkpoint (C2SP tlog-checkpoint): origin, size, root; no extension lines, which nobody could audit. */
import { hashBytes } from './merkle.ts'

/** A cosignature gives the length of an origin in one byte. */
const maxOriginBytes = 255

export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

export function formatCheckpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/** Null for what is no checkpoint, or is one with extension lines. */
export function parseCheckpointText(text: string): Checkpoint | null {
  const [origin = '', sizeText = '', rootText = ''] = text.split('\n')
  const checkpoint = { origin, size: Number(sizeText), root: Buffer.from(rootText, 'base64') }
  const isSound =
    origin !== '' &&
    Buffer.byteLength(origin) <= maxOriginBytes &&
    Number.isSafeInteger(checkpoint.size) &&
    checkpoint.root.length === hashBytes
  return isSound && formatCheckpointText(checkpoint) === text ? checkpoint : null
}
