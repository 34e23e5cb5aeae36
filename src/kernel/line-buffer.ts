/**
 * Lines of text, gathered as UTF-8. Each is written where it stays until all go: gathering them as one text costs three
 * times as much, for the text is put together once more before it is encoded. Bound: whoever adds takes them in time; the
 * memory stays as large as it was at most.
 */
export interface LineBuffer {
  /** Bytes. */
  readonly length: number
  /** `line` without its line break. */
  add(line: string): void
  /** All of them, and none are left. */
  take(): Uint8Array<ArrayBuffer>
}

const newline = 0x0a
/** Of UTF-8, for one UTF-16 unit at most. */
const bytesPerUnit = 3

export function createLineBuffer(firstBytes = 16_384): LineBuffer {
  let memory = Buffer.allocUnsafeSlow(firstBytes)
  let length = 0
  return {
    get length() {
      return length
    },
    add(line) {
      const needed = length + line.length * bytesPerUnit + 1
      if (needed > memory.byteLength) {
        const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * memory.byteLength))
        memory.copy(larger, 0, 0, length)
        memory = larger
      }
      length += memory.write(line, length)
      memory[length] = newline
      length += 1
    },
    take() {
      // A copy of its own: the memory is written again.
      const lines = new Uint8Array(length)
      lines.set(memory.subarray(0, length))
      length = 0
      return lines
    },
  }
}
