/**
 * Text as it reads: compatibility forms (NFKD, so that accents fall away too), look-alikes of Cyrillic and Greek as
 * Latin, and nothing that is not seen (zero-width, bidirectional controls, tags, variation selectors, joiners). Each
 * character of the result knows where it came from. ASCII passes untouched, without a copy.
 *
 * Linear; memory: four bytes per character of a text that is not ASCII.
 */

export interface FoldedText {
  readonly text: string
  /** Where each character began in the original, and the original's length at the end; null: they are the same. */
  readonly places: Uint32Array | null
}

const nextBeyondAscii = /[\u0080-\uffff]/g

export function foldText(text: string): FoldedText {
  nextBeyondAscii.lastIndex = 0
  let found = nextBeyondAscii.exec(text)
  if (found === null) return { text, places: null }
  let places = new Uint32Array(text.length + 1 + spareCharacters)
  let folded = ''
  let length = 0
  let at = 0
  while (found !== null) {
    const { index } = found
    folded += text.slice(at, index)
    for (; at < index; at += 1) places[length++] = at
    const code = text.codePointAt(index) ?? 0
    const shown = foldCodePoint(code)
    // Some characters become many.
    if (length + shown.length + text.length - index >= places.length) places = grown(places)
    for (let each = 0; each < shown.length; each += 1) places[length++] = index
    folded += shown
    at = index + (code > 0xffff ? 2 : 1)
    nextBeyondAscii.lastIndex = at
    found = nextBeyondAscii.exec(text)
  }
  folded += text.slice(at)
  for (; at <= text.length; at += 1) places[length++] = at
  return { text: folded, places: places.subarray(0, length) }
}

const spareCharacters = 64

function grown(places: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(places.length * 2)
  larger.set(places)
  return larger
}

/** Where a span of the folded text stood in `original`, with what was dropped inside it; what was dropped behind it stays. */
export function originalSpan(
  original: string,
  places: Uint32Array | null,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number } {
  if (places === null) return { start, end }
  const from = places[start] ?? original.length
  if (end <= start) return { start: from, end: from }
  const last = places[end - 1] ?? original.length
  return { start: from, end: last + ((original.codePointAt(last) ?? 0) > 0xffff ? 2 : 1) }
}

/** What is not seen, as pairs of first and last code point. */
const unseen: readonly (readonly [number, number])[] = [
  [0x00ad, 0x00ad], // soft hyphen
  [0x0300, 0x036f], // combining marks
  [0x034f, 0x034f], // combining grapheme joiner
  [0x061c, 0x061c], // Arabic letter mark
  [0x115f, 0x1160], // Hangul fillers
  [0x17b4, 0x17b5], // Khmer inherent vowels
  [0x180b, 0x180f], // Mongolian variation selectors
  [0x200b, 0x200f], // zero-width, marks of direction
  [0x202a, 0x202e], // bidirectional embeddings
  [0x2060, 0x206f], // word joiner, invisible operators, isolates
  [0x20d0, 0x20ff], // combining marks for symbols
  [0x3164, 0x3164], // Hangul filler
  [0xfe00, 0xfe0f], // variation selectors
  [0xfe20, 0xfe2f], // combining half marks
  [0xfeff, 0xfeff], // byte order mark
  [0xffa0, 0xffa0],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff], // tags, further variation selectors
]

function isUnseen(code: number): boolean {
  for (const [first, last] of unseen) if (code >= first && code <= last) return true
  return false
}

/** UTS #39 confusables of the two scripts that are used to pass for Latin letters, and dashes. */
const lookAlikes: ReadonlyMap<string, string> = new Map(
  [
    ['АВЕЅІЈКМНОРСТХУҮԚԜ', 'ABESIJKMHOPCTXYYQW'],
    ['авеѕіјкоӏрстхуԛԝһԁ', 'abesijkolpctxyqwhd'],
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳ', 'ABEZHIKMNOPTYXCj'],
    ['αγινορυχϲ', 'ayivopuxc'],
    ['ıɩɡɑʟօսզոհցԍ', 'iigaLouqnhgG'],
    ['‐‑‒–—―−﹘﹣－', '----------'],
    ['＿﹍﹎﹏', '____'],
  ].flatMap(([from = '', to = '']) => [...from].map((each, at) => [each, to[at] ?? each] as const)),
)

/** Code points seen so far; emptied when full, so that rare scripts cannot fill memory. */
const known = new Map<number, string>()
const mostKnown = 8192

function foldCodePoint(code: number): string {
  const found = known.get(code)
  if (found !== undefined) return found
  if (known.size >= mostKnown) known.clear()
  const folded = isUnseen(code) ? '' : reduce(String.fromCodePoint(code))
  known.set(code, folded)
  return folded
}

function reduce(character: string): string {
  const own = lookAlikes.get(character)
  if (own !== undefined) return own
  let reduced = ''
  for (const each of character.normalize('NFKD')) {
    if (!isUnseen(each.codePointAt(0) ?? 0)) reduced += lookAlikes.get(each) ?? each
  }
  return reduced
}
