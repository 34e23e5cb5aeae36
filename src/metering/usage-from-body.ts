/**
 * Usage figures of a whole response body without parsing all of it: the last usage object is cut out, and accepted when
 * the braces behind it prove that it stands at the top level. Where that fails the whole body is parsed.
 * Bound: eight tries.
 */
import type { DialectId } from '../domain/dialect-id.ts'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import type { TokenUsage } from '../domain/usage.ts'
import { usageRows } from './usage-rows.ts'

const maxTries = 8
const quote = 0x22
const backslash = 0x5c
const open = 0x7b
const close = 0x7d

/** Index behind the object that opens at `from`; -1 when it does not close. */
function endOfObject(body: Buffer, from: number): number {
  let depth = 0
  let inString = false
  for (let at = from; at < body.length; at += 1) {
    const byte = body[at]
    if (inString) {
      if (byte === backslash) at += 1
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === open) depth += 1
    else if (byte === close) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return -1
}

/** Braces closed minus opened from `from` to the end. */
function closedBehind(body: Buffer, from: number): number {
  let closed = 0
  let inString = false
  for (let at = from; at < body.length; at += 1) {
    const byte = body[at]
    if (inString) {
      if (byte === backslash) at += 1
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === open) closed -= 1
    else if (byte === close) closed += 1
  }
  return closed
}

function parse(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isJsonObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** The `{` behind a key and its colon, or -1. */
function objectBehind(body: Buffer, from: number): number {
  for (let at = from; at < body.length; at += 1) {
    const byte = body[at] ?? 0
    if (byte === open) return at
    if (byte !== 0x3a && byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return -1
  }
  return -1
}

function cutOut(body: Buffer, key: Buffer): JsonObject | undefined {
  let before = body.length
  for (let tries = 0; tries < maxTries && before > 0; tries += 1) {
    const at = body.lastIndexOf(key, before - 1)
    if (at < 0) return undefined
    before = at
    const start = objectBehind(body, at + key.length)
    const end = start < 0 ? -1 : endOfObject(body, start)
    if (end > 0 && closedBehind(body, end) === 1) return parse(body.toString('utf8', start, end))
  }
  return undefined
}

const keys: Readonly<Record<DialectId, Buffer>> = {
  'openai-chat': Buffer.from(`"${usageRows['openai-chat'].key}"`),
  'openai-responses': Buffer.from(`"${usageRows['openai-responses'].key}"`),
  'anthropic-messages': Buffer.from(`"${usageRows['anthropic-messages'].key}"`),
  gemini: Buffer.from(`"${usageRows.gemini.key}"`),
  'bedrock-converse': Buffer.from(`"${usageRows['bedrock-converse'].key}"`),
}

/** The figures of a response body in `dialect`, or undefined where it has none. Never throws. */
export function usageFromBody(dialect: DialectId, body: Buffer): TokenUsage | undefined {
  const row = usageRows[dialect]
  // Media and other bodies that are not JSON objects hold no figures.
  let first = 0
  while (first < body.length && (body[first] ?? 0) <= 0x20) first += 1
  if (body[first] !== open) return undefined
  if (body.lastIndexOf(keys[dialect]) < 0) return undefined
  const cut = cutOut(body, keys[dialect])
  if (cut !== undefined) return row.read(cut)
  const whole = parse(body.toString('utf8'))?.[row.key]
  return isJsonObject(whole) ? row.read(whole) : undefined
}
