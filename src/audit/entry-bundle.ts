/** Entry bundles of tlog-tiles: entries one after the other, each behind its length (uint16, big-endian). */

/** Bytes of one entry. */
export const maxEntryBytes = 65_535

export function writeBundle(entries: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(entry.byteLength)
    parts.push(length, entry)
  }
  return Buffer.concat(parts)
}

/** Null where the bytes do not end with an entry. */
export function readBundle(bytes: Buffer): Buffer[] | null {
  const entries: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + 2 > bytes.length) return null
    const end = at + 2 + bytes.readUInt16BE(at)
    if (end > bytes.length) return null
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  return entries
}
