/**
 * Bodies above `largeBodyBytes` are judged, parsed and looked through by another thread (architecture: nothing
 * synchronous over 5 ms here). This thread gets places and facts, a few kilobytes:
 *
 *   worker: body ── moved ──▶ reader thread: UTF-8, scan, JSON.parse, facts ── body, digest ──▶ worker: members by place
 *
 * Small members are parsed here at once, within a budget; large ones where somebody reads them, each once. In the
 * dialect of the target nobody does: the body passes as bytes. Translation reads all, and holds this thread meanwhile.
 */
import { isUtf8 } from 'node:buffer'
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts'
import { operations } from '../domain/operations.ts'
import { type JsonScan, type JsonScanBounds, scanJson } from '../kernel/json-scan.ts'
import { type BodyFacts, findFacts } from './body-facts.ts'

/** Up to here a worker reads bodies itself: two to three milliseconds. */
export const largeBodyBytes = 524_288

/** What the reader thread is asked. */
export interface LargeBodyTerms extends JsonScanBounds {
  readonly operationId: string
  /** The caller's organization. */
  readonly tenant: string
}

/** What it finds. The rows after one that says no are empty. */
export interface LargeBodyDigest {
  readonly isUtf8: boolean
  readonly scan: JsonScan | null
  /** Null: not well-formed, or no object. */
  readonly facts: BodyFacts | null
}

export interface LargeBodyRead {
  /** The same bytes. */
  readonly body: Buffer
  readonly digest: LargeBodyDigest
}

export type LargeBodyAnswer =
  | LargeBodyRead
  /** As many as may wait do. */
  | 'busy'
  /** The thread ended, or did not answer in time. */
  | 'lost'

export interface LargeBodyReader {
  /**
   * Takes the body away and gives it back with the answer. `done` is called once, later, unless what is returned is
   * called before.
   */
  read(body: Buffer, terms: LargeBodyTerms, done: (answer: LargeBodyAnswer) => void): () => void
}

/** Runs on the reader thread. */
export function digestBody(body: Buffer, terms: LargeBodyTerms): LargeBodyDigest {
  if (!isUtf8(body)) return { isUtf8: false, scan: null, facts: null }
  const scan = scanJson(body, terms)
  const operation = operations.find(({ id }) => id === terms.operationId)
  if (scan.problem !== 'none' || operation === undefined) return { isUtf8: true, scan, facts: null }
  const json = parseJson(body)
  if (!isJsonObject(json)) return { isUtf8: true, scan, facts: null }
  return { isUtf8: true, scan, facts: findFacts(json, { body, operation, tenant: terms.tenant }) }
}

function parseJson(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString('utf8')) as JsonValue
  } catch {
    return null
  }
}

const eagerMemberBytes = 16_384
const eagerBytes = 131_072

/** Fields that stages read on this thread. No API takes so much in one of them. */
export const ownFieldBytes = 65_536
const ownFields: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'user',
  'safety_identifier',
  'metadata',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'background',
  'previous_response_id',
  'conversation',
  'container',
])

/** A field of `ownFields` that is too long to be read on this thread; null: there is none. */
export function findLongField({ members }: JsonScan): string | null {
  for (const name of ownFields) {
    const span = members.get(name)
    if (span !== undefined && span.end - span.start > ownFieldBytes) return name
  }
  return null
}

/** The object in `body`, which is well-formed, as `JSON.parse` would have it; large members are parsed when they are read. */
export function openMembers(body: Buffer, { members }: JsonScan): JsonObject {
  const json: Record<string, JsonValue> = {}
  let budget = eagerBytes
  for (const [name, { start, end }] of members) {
    const parse = () => JSON.parse(body.toString('utf8', start, end)) as JsonValue
    const bytes = end - start
    const isEager = bytes <= eagerMemberBytes && bytes <= budget
    if (isEager) {
      budget -= bytes
      keep(json, name, parse())
    } else defineLazily(json, name, parse)
  }
  return json
}

/** Not by assignment: `__proto__` is a member like any other. */
function keep(json: JsonObject, name: string, value: JsonValue): void {
  Object.defineProperty(json, name, { value, enumerable: true, configurable: true, writable: true })
}

function defineLazily(json: JsonObject, name: string, parse: () => JsonValue): void {
  Object.defineProperty(json, name, {
    enumerable: true,
    configurable: true,
    get() {
      const value = parse()
      keep(json, name, value)
      return value
    },
  })
}
