/**
 * What is encoded in a text: base64, hex, percent, HTML entities, quoted-printable, JavaScript escapes, rot13 and
 * characters hidden in tags and variation selectors, one in another up to three deep. Each view knows where its
 * characters came from, to the group that encodes them.
 *
 * Bounds: all views of a text together hold at most `budgetFactor` times its characters and a little; linear.
 */
export interface View {
  readonly text: string
  /** Where each character began in the original, and one more for the end; null: the same places. */
  readonly places: Uint32Array | null
}

type Decoder = (text: string) => View | null

const deepest = 3
const budgetFactor = 6
const budgetBase = 8192
/** Fewer encoded characters hold nothing that a detector looks for. */
const shortestRun = 24
/** So many printable characters in a row do not come about by chance. */
const shortestStretch = 16

/** Views of `text` by what is decoded in it; `original` has what folding drops. */
export function decodedViews(original: string, folded: View): View[] {
  const views: View[] = []
  let budget = original.length * budgetFactor + budgetBase
  const take = (view: View | null): View | null => {
    if (view === null || view.text.length > budget) return null
    budget -= view.text.length
    views.push(view)
    return view
  }
  const hidden = folded.places === null ? null : take(revealHidden(original))
  let level: View[] = [folded, ...(hidden === null ? [] : [hidden])]
  for (let depth = 0; depth < deepest && level.length > 0; depth += 1) {
    const next: View[] = []
    for (const view of level) {
      for (const decoded of decodingsOf(view.text)) {
        const found = take(within(view, decoded))
        if (found !== null) next.push(found)
      }
      // What this gives of plain text is no text: nothing more is looked for in it.
      take(within(view, rotate(view.text)))
    }
    level = next
  }
  return views
}

/** The places of a view of a view, in the original. */
function within(outer: View, inner: View | null): View | null {
  if (inner === null || outer.places === null) return inner
  if (inner.places === null) return { text: inner.text, places: outer.places }
  const { places } = outer
  return { text: inner.text, places: inner.places.map((place) => places[place] ?? 0) }
}

/** Collects characters and their places. */
class Collected {
  #text = ''
  readonly #places: number[] = []

  add(text: string, place: number): void {
    for (let at = 0; at < text.length; at += 1) this.#places.push(place)
    this.#text += text
  }

  get isEmpty(): boolean {
    return this.#places.length === 0
  }

  view(end: number): View {
    this.#places.push(end)
    return { text: this.#text, places: Uint32Array.from(this.#places) }
  }
}

/** All that matches `pattern` is replaced by what `decode` gives for it. */
function replacing(pattern: RegExp, decode: (found: string) => string): Decoder {
  return (text) => {
    pattern.lastIndex = 0
    let found = pattern.exec(text)
    if (found === null) return null
    const collected = new Collected()
    let from = 0
    for (; found !== null; found = pattern.exec(text)) {
      for (let at = from; at < found.index; at += 1) collected.add(text[at] ?? '', at)
      collected.add(decode(found[0]), found.index)
      from = found.index + found[0].length
    }
    for (let at = from; at < text.length; at += 1) collected.add(text[at] ?? '', at)
    return collected.view(text.length)
  }
}

function ofHex(digits: string): string {
  const code = Number.parseInt(digits, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : ''
}

const entities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['sol', '/'],
  ['colon', ':'],
  ['equals', '='],
  ['lowbar', '_'],
  ['hyphen', '-'],
  ['dash', '-'],
  ['period', '.'],
  ['plus', '+'],
  ['commat', '@'],
])

function decodeEntity(found: string): string {
  const name = found.slice(1, -1)
  if (name.startsWith('#x') || name.startsWith('#X')) return ofHex(name.slice(2))
  if (name.startsWith('#')) return ofHex(Number(name.slice(1)).toString(16))
  return entities.get(name) ?? found
}

/** A–Z and a–z by half the alphabet. One byte per UTF-16 unit: what is no ASCII letter stays one character. */
const rotated = Uint8Array.from({ length: 256 }, (_, code) => {
  const base = code & 0x20
  const letter = code - 0x41 - base
  return code < 0x80 && letter >= 0 && letter < 26 ? ((letter + 13) % 26) + 0x41 + base : code
})

function rotate(text: string): View {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = rotated[bytes[at] ?? 0] ?? 0
  return { text: bytes.toString('latin1'), places: null }
}

const inRun = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(/[A-Za-z0-9+/_-]/.test(String.fromCharCode(code))),
)
/** Encoders break lines there at the earliest. */
const shortestLine = 60
const carriageReturn = 0x0d
const lineFeed = 0x0a

interface Run {
  readonly start: number
  readonly end: number
  readonly isBroken: boolean
}

/** Runs of encoded characters; those that are broken into lines of the usual lengths count as one. */
function runsOf(text: string): Run[] {
  const runs: Run[] = []
  // Of a run of so many characters, one stands at every so many places: most of a text is never looked at.
  let from = 0
  for (let at = shortestRun - 1; at < text.length; at += shortestRun) {
    if (!isInRun(text, at)) continue
    let start = at
    while (start > from && isInRun(text, start - 1)) start -= 1
    let end = at + 1
    while (end < start + shortestRun && isInRun(text, end)) end += 1
    if (end === start + shortestRun) {
      const run = extendRun(text, start)
      runs.push(run)
      end = run.end
    }
    from = end
    at = end - 1
  }
  return runs
}

function isInRun(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code < 128 && inRun[code] === 1
}

function extendRun(text: string, start: number): Run {
  let lineStart = start
  let at = start + shortestRun
  let end = at
  for (; at < text.length; at += 1) {
    if (isInRun(text, at)) {
      end = at + 1
      continue
    }
    const code = text.charCodeAt(at)
    const isBreak = code === lineFeed || (code === carriageReturn && text.charCodeAt(at + 1) === lineFeed)
    if (!isBreak || at - lineStart < shortestLine) break
    if (code === carriageReturn) at += 1
    lineStart = at + 1
  }
  return { start, end, isBroken: lineStart > start && lineStart < end }
}

function longestStretch(bytes: Buffer): number {
  let longest = 0
  let length = 0
  for (const byte of bytes) {
    if ((byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d)) length += 1
    else length = 0
    if (length > longest) longest = length
  }
  return longest
}

interface Radix {
  readonly encoding: 'base64' | 'hex'
  /** Characters and bytes of a group. */
  readonly characters: number
  readonly bytes: number
}
const base64: Radix = { encoding: 'base64', characters: 4, bytes: 3 }
const hex: Radix = { encoding: 'hex', characters: 2, bytes: 1 }

const notHex = /[^0-9A-Fa-f]/

/** A run may begin with characters that are no part of what is encoded: every alignment is tried. */
function decodeRun(
  digits: string,
  { encoding, characters, bytes }: Radix,
  found: (text: string, digitOf: (at: number) => number) => void,
): void {
  if (encoding === 'hex' && (digits.length < 2 * shortestRun || notHex.test(digits))) return
  for (let skipped = 0; skipped < characters; skipped += 1) {
    const part = digits.slice(skipped)
    const decoded = Buffer.from(
      encoding === 'hex' && part.length % 2 === 1 ? part.slice(0, -1) : part,
      encoding,
    )
    if (longestStretch(decoded) < shortestStretch) continue
    found(decoded.toString('latin1'), (at) => skipped + Math.floor((at * characters) / bytes))
  }
}

/** The digits of a run, and where each stood; null: one beside the other. */
function digitsOf(text: string, { start, end, isBroken }: Run): { digits: string; places: number[] | null } {
  const whole = text.slice(start, end)
  if (!isBroken) return { digits: whole, places: null }
  const places: number[] = []
  let digits = ''
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code === carriageReturn || code === lineFeed) continue
    places.push(at)
    digits += text[at] ?? ''
  }
  return { digits, places }
}

function decodeRuns(text: string, runs: readonly Run[], radix: Radix): View | null {
  const collected = new Collected()
  for (const run of runs) {
    const { digits, places } = digitsOf(text, run)
    decodeRun(digits, radix, (decoded, digitOf) => {
      for (let at = 0; at < decoded.length; at += 1) {
        const digit = digitOf(at)
        collected.add(decoded[at] ?? '', places === null ? run.start + digit : (places[digit] ?? run.end))
      }
      collected.add('\n', run.end)
    })
  }
  return collected.isEmpty ? null : collected.view(text.length)
}

const replacements: readonly Decoder[] = [
  replacing(/%[0-9A-Fa-f]{2}/g, (found) => ofHex(found.slice(1))),
  replacing(/&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-z]{2,6});/g, decodeEntity),
  replacing(/=(?:[0-9A-F]{2}|\r?\n)/g, (found) => (found.endsWith('\n') ? '' : ofHex(found.slice(1)))),
  replacing(/\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})/g, (found) => ofHex(found.slice(2))),
]

/** All that is encoded in a text, one view for each way. */
function* decodingsOf(text: string): Generator<View | null> {
  for (const replace of replacements) yield replace(text)
  const runs = runsOf(text)
  if (runs.length === 0) return
  yield decodeRuns(text, runs, base64)
  yield decodeRuns(text, runs, hex)
}

/**
 * Text in characters that are not seen: tags (U+E0020–E007E stand for ASCII), and variation selectors, which stand
 * for bytes.
 */
function revealHidden(original: string): View | null {
  const collected = new Collected()
  let end = 0
  for (let at = 0; at < original.length; at += 1) {
    const code = original.codePointAt(at) ?? 0
    const shown = hiddenCharacter(code)
    if (shown !== null) collected.add(shown, at)
    if (code > 0xffff) at += 1
    if (shown !== null) end = at + 1
  }
  return collected.isEmpty ? null : collected.view(end)
}

function hiddenCharacter(code: number): string | null {
  if (code >= 0xe0020 && code <= 0xe007e) return String.fromCharCode(code - 0xe0000)
  if (code >= 0xfe00 && code <= 0xfe0f) return String.fromCharCode(code - 0xfe00)
  if (code >= 0xe0100 && code <= 0xe01ef) return String.fromCharCode(code - 0xe0100 + 16)
  return null
}
