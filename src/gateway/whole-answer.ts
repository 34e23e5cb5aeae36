/**
 * Whether an answer is complete and ended well: only such an answer may be given again. One pass over at most
 * `maxEntryBytes` of the route, after the caller has got it: some 2 ms for the 256 KiB of the default.
 */
import type { CanonicalEvent } from '../domain/canonical.ts'
import { isJsonObject } from '../domain/json.ts'
import type { Dialect } from '../providers/index.ts'

/** A stream as the caller got it: read once more, it must come to its dialect's end without an error. */
export function isWholeStream(dialect: Dialect, bytes: Uint8Array): boolean {
  let finished = false
  let broken = false
  const see = (event: CanonicalEvent): void => {
    if (event.type === 'finish') {
      finished = true
      broken ||= event.stopReason === 'error' || event.stopReason === 'pause'
    } else broken ||= event.type === 'error'
  }
  const reader = dialect.streamReader()
  reader.push(bytes, see)
  reader.finish(see)
  return finished && !broken
}

/** A JSON body that tells no error and, where it tells a status (Responses), is `completed`. */
export function isWholeBody(bytes: Uint8Array): boolean {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return false
  }
  if (!isJsonObject(parsed)) return false
  const { error, status } = parsed
  return (error ?? null) === null && (typeof status !== 'string' || status === 'completed')
}
