/**
 * Merkle trees of RFC 6962 §2.1 over SHA-256: hashes, roots, proofs and their checks (RFC 9162 §2.1.3.2, §2.1.4.2).
 * Sizes and indexes are safe integers; no bit operators, which end at 32 bits.
 */
import { createHash } from 'node:crypto'

export const hashBytes = 32

const leafPrefix = Buffer.from([0])
const nodePrefix = Buffer.from([1])

export function hashLeaf(entry: Uint8Array): Buffer {
  return createHash('sha256').update(leafPrefix).update(entry).digest()
}

export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(nodePrefix).update(left).update(right).digest()
}

/** Largest power of two below `count`; count ≥ 2. */
function splitOf(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/**
 * Root over consecutive hashes: leaves, or roots of full trees of one size of which the last may be of a smaller tree
 * (the split falls on the same place).
 */
export function rootOfHashes(hashes: readonly Uint8Array[]): Buffer {
  const [first] = hashes
  if (first === undefined) return createHash('sha256').digest()
  if (hashes.length === 1) return Buffer.from(first)
  const split = splitOf(hashes.length)
  return hashNode(rootOfHashes(hashes.slice(0, split)), rootOfHashes(hashes.slice(split)))
}

/** Hash of the full tree of 2^level leaves whose place among those of its size is `index`. */
export type FullTreeHash = (level: number, index: number) => Promise<Buffer>

interface LeafRange {
  readonly start: number
  readonly end: number
}

/** Root of the leaves from `start` to before `end`; `start` is where a tree of this size may begin. */
async function rootOfRange({ start, end }: LeafRange, hashOf: FullTreeHash): Promise<Buffer> {
  const count = end - start
  const level = Math.log2(count)
  if (Number.isInteger(level)) return hashOf(level, start / count)
  const middle = start + splitOf(count)
  return hashNode(
    await rootOfRange({ start, end: middle }, hashOf),
    await rootOfRange({ start: middle, end }, hashOf),
  )
}

export async function rootOfSize(size: number, hashOf: FullTreeHash): Promise<Buffer> {
  return size === 0 ? rootOfHashes([]) : rootOfRange({ start: 0, end: size }, hashOf)
}

/** Inclusion proof of RFC 6962 §2.1.1, sibling of the leaf first. `index` < `size`. */
export async function proveInclusion(index: number, size: number, hashOf: FullTreeHash): Promise<Buffer[]> {
  const proof: Buffer[] = []
  let range: LeafRange = { start: 0, end: size }
  while (range.end - range.start > 1) {
    const middle = range.start + splitOf(range.end - range.start)
    const [inside, beside] =
      index < middle
        ? [
            { start: range.start, end: middle },
            { start: middle, end: range.end },
          ]
        : [
            { start: middle, end: range.end },
            { start: range.start, end: middle },
          ]
    proof.unshift(await rootOfRange(beside, hashOf))
    range = inside
  }
  return proof
}

export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** RFC 9162 §2.1.3.2. */
export function isIncluded({ index, size, leafHash, root, proof }: InclusionClaim): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false
  let node = index
  let last = size - 1
  let hash: Buffer = Buffer.from(leafHash)
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== hashBytes) return false
    if (node % 2 === 1 || node === last) {
      hash = hashNode(sibling, hash)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = hashNode(hash, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && hash.equals(root)
}

/**
 * Consistency proof of RFC 6962 §2.1.2: that the tree of `size` leaves begins with that of its first `from`. Empty where
 * there is nothing to show: no leaf, or the same size. `from` ≤ `size`.
 */
export async function proveConsistency(from: number, size: number, hashOf: FullTreeHash): Promise<Buffer[]> {
  const proof: Buffer[] = []
  if (from === 0) return proof
  let range: LeafRange = { start: 0, end: size }
  while (range.end !== from) {
    const middle = range.start + splitOf(range.end - range.start)
    const isLeft = from <= middle
    const left: LeafRange = { start: range.start, end: middle }
    const right: LeafRange = { start: middle, end: range.end }
    proof.unshift(await rootOfRange(isLeft ? right : left, hashOf))
    range = isLeft ? left : right
  }
  // A range from the first leaf on is the whole older tree, whose root the other side has.
  if (range.start > 0) proof.unshift(await rootOfRange(range, hashOf))
  return proof
}

export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

/** RFC 9162 §2.1.4.2. */
export function isConsistent(from: TreeHead, to: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (![from.size, to.size].every((size) => Number.isSafeInteger(size) && size >= 0)) return false
  if (from.size > to.size || proof.some((hash) => hash.length !== hashBytes)) return false
  if (from.size === 0) return proof.length === 0 && rootOfHashes([]).equals(from.root)
  if (from.size === to.size) return proof.length === 0 && Buffer.from(from.root).equals(to.root)
  let node = from.size - 1
  let last = to.size - 1
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  // Of a full tree the proof leaves out the root.
  const [first, ...rest] = node === 0 ? [from.root, ...proof] : proof
  if (first === undefined) return false
  let [older, newer]: [Uint8Array, Uint8Array] = [first, first]
  for (const hash of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      older = hashNode(hash, older)
      newer = hashNode(hash, newer)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      newer = hashNode(newer, hash)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && Buffer.from(older).equals(from.root) && Buffer.from(newer).equals(to.root)
}
