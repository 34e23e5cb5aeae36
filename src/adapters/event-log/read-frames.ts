/** Reads the intact frames of one segment between two offsets. Memory: one buffer, the larger of chunk and frame. */
import { type FileHandle, open } from 'node:fs/promises'
import { announcedLength, frameHeaderBytes, isIntact, segmentMagic } from './frame.ts'

const chunkBytes = 256 * 1024

export interface SegmentSlice {
  readonly path: string
  /** At least the length of the magic. */
  readonly from: number
  /** Exclusive; bytes beyond are not looked at. */
  readonly to: number
}

export interface SegmentFrame {
  /** Valid until the next frame. */
  readonly payload: Buffer
  /** After the frame. */
  readonly offset: number
}

/** Fills `buffer` from `position`; fewer bytes only at the end of the file. */
async function fill(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** Length of the frame at `start`, 0 when more bytes are needed to tell, -1 when it is damaged. */
function frameLength(buffer: Buffer, start: number, end: number): number {
  if (end - start < frameHeaderBytes) return 0
  const length = announcedLength(buffer.subarray(start, start + frameHeaderBytes))
  return length < 0 ? -1 : frameHeaderBytes + length
}

/**
 * Yields frames; returns null when it reached `to`, else the offset of the first frame that is torn or damaged.
 * What follows such a frame cannot be told apart from noise and is not read.
 */
export async function* readFrames(
  slice: SegmentSlice,
): AsyncGenerator<SegmentFrame, number | null, undefined> {
  const file = await open(slice.path, 'r')
  try {
    const magic = Buffer.alloc(segmentMagic.length)
    if ((await fill(file, magic, 0)) < magic.length || !magic.equals(segmentMagic)) return 0
    let buffer = Buffer.alloc(Math.max(frameHeaderBytes, Math.min(chunkBytes, slice.to - slice.from)))
    let offset = slice.from
    while (offset < slice.to) {
      const wanted = buffer.subarray(0, Math.min(buffer.length, slice.to - offset))
      const filled = await fill(file, wanted, offset)
      let at = 0
      let length = frameLength(buffer, at, filled)
      while (length > 0 && at + length <= filled) {
        const frame = buffer.subarray(at, at + length)
        if (!isIntact(frame)) return offset + at
        at += length
        yield { payload: frame.subarray(frameHeaderBytes), offset: offset + at }
        length = frameLength(buffer, at, filled)
      }
      // Without progress the frame is damaged, runs past the slice, or is larger than the buffer.
      if (length < 0 || (at === 0 && offset + Math.max(length, frameHeaderBytes) > slice.to))
        return offset + at
      if (at === 0 && filled < wanted.length) return offset
      if (at === 0 && length > buffer.length) buffer = Buffer.alloc(length)
      offset += at
    }
    return null
  } finally {
    await file.close()
  }
}
