/** Sets of ASCII characters as bits: whether a character is in a set is one look-up. Nothing beyond ASCII is in any. */

const letters = ['A-Z', 'a-z']
const alnum = [...letters, '0-9']

/** Single characters, and ranges of them. */
const definitions = {
  digit: ['0-9'],
  lower: ['a-z', '0-9'],
  upper: ['A-Z', '0-9'],
  alnum,
  hex: ['0-9', 'a-f'],
  anyHex: ['0-9', 'A-F', 'a-f'],
  /** Hexadecimal digits and hyphens: identifiers in five groups. */
  uuid: ['0-9', 'A-F', 'a-f', '-'],
  base32: ['A-Z', '2-7'],
  word: [...alnum, '_'],
  /** base64url. */
  url64: [...alnum, '_', '-'],
  base64: [...alnum, '+', '/', '='],
  token: [...alnum, '_', '-', '.'],
  tokenPlus: [...alnum, '_', '-', '.', '~', '+', '/', '='],
  /** What may stand between a keyword and the sign that assigns. */
  gap: [...alnum, '_', '-', '.', ' '],
  /** Signs that assign, and quotes. */
  assign: ['=', ':', '>', '"', "'", '`', '(', ',', '\t', ' ', '|', '\\', '{', '['],
  /** The user of a connection string. */
  user: [...alnum, '_', '-', '.', '%', '+', '~', '$', '!'],
  /** All that is seen, except what ends the password of a connection string. */
  password: ['!', '#-.', '0-;', '=', '?', 'A-Z', '[-~'],
  /** Line breaks as such or escaped, and what is about them. */
  breaks: ['\\', 'r', 'n', '\r', '\n', ' ', '\t'],
  path: [...alnum, '/', '_', '-', '@', '.'],
  pem: [...alnum, '+', '/', '=', '\\', '\r', '\n', ' ', '\t', '-', ':', ','],
} as const satisfies Record<string, readonly string[]>
export type ClassName = keyof typeof definitions

const names = Object.keys(definitions) as ClassName[]

export const bitsOf: Readonly<Record<ClassName, number>> = Object.freeze(
  Object.fromEntries(names.map((name, at) => [name, 1 << at])) as Record<ClassName, number>,
)

const classBits = new Int32Array(128)
for (const name of names) {
  for (const range of definitions[name]) {
    const last = range.charCodeAt(range.length - 1)
    for (let code = range.charCodeAt(0); code <= last; code += 1)
      classBits[code] = (classBits[code] ?? 0) | bitsOf[name]
  }
}

export function isIn(text: string, at: number, bits: number): boolean {
  const code = text.charCodeAt(at)
  return code < 128 && ((classBits[code] ?? 0) & bits) !== 0
}
