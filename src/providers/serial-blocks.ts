/**
 * For wires whose blocks come one after the other (Anthropic, Bedrock), fed from sources that may interleave parts
 * (parallel tool calls): the first part stays open on the wire, the others wait, whole, until it ends, and follow
 * in the order in which they began. Only the first choice is carried.
 * Bound: `maxWaitingLength` characters wait together.
 */
import type { CanonicalEvent } from '../domain/canonical.ts'

/** Characters that may wait for an open block to end. */
export const maxWaitingLength = 8 * 1024 * 1024

export type PartStart = CanonicalEvent & { readonly type: 'part-start' }
export type PartEnd = CanonicalEvent & { readonly type: 'part-end' }

export interface SerialPart {
  readonly start: PartStart
  /** Its start is on the wire. */
  begun: boolean
  /** Text that has not been written. */
  waiting: string
  /** Undefined while it runs, and where the source never ended it. */
  end: PartEnd | undefined
}

/** Writes to the wire. Reasoning begins with its first text, because it may turn out to be hidden. */
export interface BlockSink {
  begin(part: SerialPart): void
  delta(part: SerialPart, text: string): void
  /** Ends a part, also one that never began. */
  close(part: SerialPart): void
}

export interface SerialBlocks {
  start(event: PartStart): void
  /** Returns false when more waits than the bound allows: the stream cannot go on. */
  delta(event: CanonicalEvent & { readonly type: 'delta' }): boolean
  end(event: PartEnd): void
  /** Ends what the source left open. */
  closeAll(): void
}

export function serialBlocks(sink: BlockSink): SerialBlocks {
  /** The first is on the wire. */
  const parts: SerialPart[] = []
  let waitingLength = 0

  function begin(part: SerialPart): void {
    part.begun = true
    sink.begin(part)
  }

  /** A part that waited becomes the open block. */
  function replay(part: SerialPart): void {
    const text = part.waiting
    if (part.start.kind === 'reasoning' && text === '') return
    part.waiting = ''
    waitingLength -= text.length
    begin(part)
    if (text !== '') sink.delta(part, text)
  }

  function close(part: SerialPart): void {
    parts.shift()
    sink.close(part)
  }

  return {
    start(event) {
      const part: SerialPart = { start: event, begun: false, waiting: '', end: undefined }
      parts.push(part)
      if (parts.length === 1 && event.kind !== 'reasoning') begin(part)
    },
    delta(event) {
      const part = find(parts, event.part)
      if (part === undefined || event.text === '') return true
      if (part === parts[0]) {
        if (!part.begun) begin(part)
        sink.delta(part, event.text)
        return true
      }
      part.waiting += event.text
      waitingLength += event.text.length
      return waitingLength <= maxWaitingLength
    },
    end(event) {
      const part = find(parts, event.part)
      if (part === undefined) return
      part.end = event
      if (part !== parts[0]) return
      close(part)
      for (let next = parts[0]; next !== undefined; next = parts[0]) {
        replay(next)
        if (next.end === undefined) break
        close(next)
      }
    },
    closeAll() {
      for (let part = parts[0]; part !== undefined; part = parts[0]) {
        if (!part.begun) replay(part)
        close(part)
      }
    },
  }
}

function find(parts: readonly SerialPart[], number: number): SerialPart | undefined {
  for (const part of parts) if (part.start.part === number) return part
  return undefined
}
