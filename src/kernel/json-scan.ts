/**
 * One pass over JSON text before it is parsed: depth and key count against their bounds, and where the members of
 * the top-level object stand, so that one value can be replaced without writing the body anew.
 *
 * The scan trusts nothing but is no validator: well-formedness is `JSON.parse`'s verdict. Where both agree the
 * spans are exact. Cost: about 1 ns per byte; strings over 64 bytes are skipped by a native search.
 */
export interface MemberSpan {
  /** First byte of the value. */
  readonly start: number
  /** One past its last byte. */
  readonly end: number
}

export interface JsonScan {
  readonly problem:
    | 'none'
    | 'too-deep'
    | 'too-many-keys'
    | 'too-many-members'
    | 'duplicate-key'
    | 'not-an-object'
  /** The key that stands twice at the top level, or empty. */
  readonly duplicate: string
  readonly members: ReadonlyMap<string, MemberSpan>
  /** Position of the closing brace of the top-level object. */
  readonly close: number
}

export interface JsonScanBounds {
  readonly depth: number
  /** Also bounds objects and arrays, and ten times as many elements: small ones cost far more than their bytes. */
  readonly keys: number
}

const elementsPerKey = 10
/** Members of the top-level object: no API has a tenth, and each is remembered by name and place. */
export const jsonMembers = 1024

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const colon = 0x3a
const comma = 0x2c
const nativeSearchAfter = 64

/** Scan `text` (UTF-8 bytes). Only an object at the top level is accepted. */
export function scanJson(text: Buffer, bounds: JsonScanBounds): JsonScan {
  const members = new Map<string, MemberSpan>()
  let duplicate = ''
  const done = (problem: JsonScan['problem'], close = -1): JsonScan => ({
    problem,
    duplicate,
    members,
    close,
  })
  let depth = 0
  let keys = 0
  let containers = 0
  let elements = 0
  let key = ''
  let valueStart = -1
  let stringStart = -1
  let stringEnd = -1
  const closeMember = (end: number): boolean => {
    if (valueStart < 0) return true
    if (members.has(key)) {
      duplicate = key
      return false
    }
    members.set(key, { start: skipSpace(text, valueStart), end: trimSpace(text, end) })
    valueStart = -1
    return true
  }
  for (let at = skipSpace(text, 0); at < text.length; at += 1) {
    const byte = text[at]
    if (byte === quote) {
      stringStart = at
      at = endOfString(text, at)
      stringEnd = at
    } else if (byte === colon) {
      keys += 1
      if (keys > bounds.keys) return done('too-many-keys')
      if (depth === 1) {
        if (members.size >= jsonMembers) return done('too-many-members')
        key = keyText(text, stringStart, stringEnd)
        valueStart = at + 1
      }
    } else if (byte === comma) {
      elements += 1
      if (elements > bounds.keys * elementsPerKey) return done('too-many-keys')
      if (depth === 1 && !closeMember(at)) return done('duplicate-key')
    } else if (byte === openBrace || byte === openBracket) {
      if (depth === 0 && byte === openBracket) return done('not-an-object')
      depth += 1
      containers += 1
      if (depth > bounds.depth) return done('too-deep')
      if (containers > bounds.keys) return done('too-many-keys')
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 1) return closeMember(at) ? done('none', at) : done('duplicate-key')
      depth -= 1
    } else if (depth === 0) {
      return done('not-an-object')
    }
  }
  return done('not-an-object')
}

/** Position of the quote that ends the string opened at `start`, or the last byte when none does. */
function endOfString(text: Buffer, start: number): number {
  const near = Math.min(text.length, start + nativeSearchAfter)
  for (let at = start + 1; at < near; at += 1) {
    const byte = text[at]
    if (byte === backslash) at += 1
    else if (byte === quote) return at
  }
  return endOfLongString(text, start)
}

function endOfLongString(text: Buffer, start: number): number {
  let from = start + 1
  for (;;) {
    const found = text.indexOf(quote, from)
    if (found < 0) return text.length - 1
    let slashes = 0
    while (text[found - 1 - slashes] === backslash && found - 1 - slashes > start) slashes += 1
    if (slashes % 2 === 0) return found
    from = found + 1
    // Escaped quotes come in crowds (JSON within JSON), and a native search for each would cost twenty times as much.
    const near = Math.min(text.length, from + nativeSearchAfter)
    while (from < near) {
      const byte = text[from]
      if (byte === quote) return from
      from += byte === backslash ? 2 : 1
    }
  }
}

function keyText(text: Buffer, start: number, end: number): string {
  const raw = text.toString('utf8', start + 1, end)
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return raw
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function skipSpace(text: Buffer, from: number): number {
  let at = from
  while (isSpace(text[at])) at += 1
  return at
}

function trimSpace(text: Buffer, end: number): number {
  let at = end
  while (isSpace(text[at - 1])) at -= 1
  return at
}

export interface MemberEdit {
  readonly key: string
  /** JSON text of the new value. */
  readonly json: string
}

/** The body with some top-level values replaced or appended; every other byte stays as it was. */
export function editMembers(text: Buffer, scan: JsonScan, edits: readonly MemberEdit[]): Buffer {
  const placed = edits
    .map((edit) => ({ edit, span: scan.members.get(edit.key) }))
    .sort((a, b) => (a.span?.start ?? scan.close) - (b.span?.start ?? scan.close))
  const pieces: Uint8Array[] = []
  let from = 0
  let first = scan.members.size === 0
  for (const { edit, span } of placed) {
    if (span === undefined) {
      pieces.push(text.subarray(from, scan.close))
      pieces.push(Buffer.from(`${first ? '' : ','}${JSON.stringify(edit.key)}:${edit.json}`))
      from = scan.close
      first = false
    } else {
      pieces.push(text.subarray(from, span.start), Buffer.from(edit.json))
      from = span.end
    }
  }
  pieces.push(text.subarray(from))
  return Buffer.concat(pieces)
}
