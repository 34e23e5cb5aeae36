/**
 * Watches the beginning of a stream until its first real content. What came before is held back, so that a stream
 * which errs, ends or makes no sense by then can be replaced by another deployment's without the caller seeing any
 * of it. Bound: 64 chunks or 256 KiB are held; a stream that has said nothing by then is passed on as it is.
 */
import type { CanonicalError, CanonicalEvent } from '../domain/canonical.ts'
import type { Dialect } from '../providers/index.ts'

const maxChunks = 64
const maxBytes = 262_144

/** `content` pass on what is held and all that follows; an error: nothing of it was worth passing on. */
export type GuardVerdict = 'wait' | 'content' | CanonicalError

export interface StreamGuard {
  push(chunk: Buffer): GuardVerdict
  /** The upstream is done. */
  end(): Exclude<GuardVerdict, 'wait'>
  /** What is held, once. */
  take(): Buffer[]
}

export function createStreamGuard(dialect: Dialect): StreamGuard {
  const reader = dialect.streamReader()
  let held: Buffer[] = []
  let bytes = 0
  let verdict: GuardVerdict = 'wait'

  function look(event: CanonicalEvent): void {
    if (verdict !== 'wait') return
    if (event.type === 'error') verdict = event.error
    else if (isContent(event)) verdict = 'content'
  }

  return {
    push(chunk) {
      held.push(chunk)
      bytes += chunk.length
      reader.push(chunk, look)
      if (verdict === 'wait' && (held.length >= maxChunks || bytes >= maxBytes)) verdict = 'content'
      return verdict
    },
    end() {
      reader.finish(look)
      return verdict === 'wait' ? 'content' : verdict
    },
    take() {
      const taken = held
      held = []
      return taken
    },
  }
}

/** A tool call begins with its name; a finished choice is an answer, be it empty. */
function isContent(event: CanonicalEvent): boolean {
  switch (event.type) {
    case 'delta':
      return event.text !== ''
    case 'part-start':
      return event.kind === 'tool-call' || event.kind === 'opaque'
    case 'part-end':
      return event.encrypted !== undefined
    default:
      return event.type === 'finish'
  }
}
