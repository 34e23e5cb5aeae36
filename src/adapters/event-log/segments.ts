/** The segment files of a directory: listing, creation, recovery of the last one. */
import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { segmentMagic, segmentName, segmentNumber } from './frame.ts'
import { readFrames } from './read-frames.ts'

/** What recovery had to cut off, for the log. */
export interface TornTail {
  readonly segment: number
  readonly offset: number
  readonly bytes: number
}

export interface OpenSegment {
  readonly segment: number
  readonly file: FileHandle
  /** Bytes; everything up to here is intact. */
  readonly size: number
}

/** Numbers in order. */
export async function listSegments(directory: string): Promise<readonly number[]> {
  const numbers: number[] = []
  for (const name of await readdir(directory)) {
    const segment = segmentNumber(name)
    if (segment !== null) numbers.push(segment)
  }
  return numbers.sort((left, right) => left - right)
}

/** Makes a new name in the directory survive loss of power. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function createSegment(directory: string, segment: number): Promise<OpenSegment> {
  const path = join(directory, segmentName(segment))
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write(segmentMagic, 0, segmentMagic.length, 0)
    await file.datasync()
    await syncDirectory(directory)
  } catch (error) {
    await file.close()
    // The name must be free for the next attempt.
    await unlink(path)
    throw error
  }
  return { segment, file, size: segmentMagic.length }
}

/** Offset up to which the segment is intact. 0: not even its magic is. */
async function findIntactEnd(path: string, size: number): Promise<number> {
  const frames = readFrames({ path, from: segmentMagic.length, to: size })
  let step = await frames.next()
  while (step.done !== true) step = await frames.next()
  return step.value ?? size
}

/** Opens the last segment for appending, cut at its first frame that is not whole. */
export async function recoverSegment(
  directory: string,
  segment: number,
): Promise<OpenSegment & { readonly torn: TornTail | null }> {
  const path = join(directory, segmentName(segment))
  const { size } = await stat(path)
  const end = await findIntactEnd(path, size)
  const torn = { segment, offset: end, bytes: size - end }
  if (end === 0 && size > segmentMagic.length) {
    // Frames may lie behind a damaged magic: leave them for people to look at, and go on in a new segment.
    return { ...(await createSegment(directory, segment + 1)), torn }
  }
  const file = await open(path, 'r+')
  if (end === size && end > 0) return { segment, file, size, torn: null }
  await file.truncate(end)
  // A crash within the creation of the segment left less than the magic.
  if (end === 0) await file.write(segmentMagic, 0, segmentMagic.length, 0)
  await file.datasync()
  return { segment, file, size: Math.max(end, segmentMagic.length), torn }
}
