/**
 * Byte classes of the HTTP grammar as 256-entry tables: one load decides, no branch per character.
 * Assumes that heads are looked at as bytes before anything is decoded.
 */
function tableOf(accepts: (code: number) => boolean): Uint8Array {
  const table = new Uint8Array(256)
  for (let code = 0; code < 256; code += 1) table[code] = accepts(code) ? 1 : 0
  return table
}

const tokenMarks = "!#$%&'*+-.^_`|~"
const uriMarks = "-._~:/?[]@!$&'()*+,;=%"
const hostMarks = "-._~!$&'()*+;=%[]:"

function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}

function isToken(code: number): boolean {
  return isAlphanumeric(code) || tokenMarks.includes(String.fromCharCode(code))
}

/** RFC 9110 §5.6.2: the byte in lower case when it may stand in a token, else 0. */
export const tokenLower: Uint8Array = tableOf(() => false).map((_, code) => {
  if (!isToken(code)) return 0
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code
})

/** RFC 9110 §5.5: field-vchar, obs-text, space and tab. NUL, other controls and DEL are out. */
export const fieldValueByte: Uint8Array = tableOf((code) => code === 0x09 || (code >= 0x20 && code !== 0x7f))

/** RFC 3986 path and query characters, and square brackets, which clients in the field leave bare. No `#`. */
export const targetByte: Uint8Array = tableOf(
  (code) => isAlphanumeric(code) || uriMarks.includes(String.fromCharCode(code)),
)

/** RFC 9110 §7.2: uri-host and port; user information, paths and lists are out. */
export const hostByte: Uint8Array = tableOf(
  (code) => isAlphanumeric(code) || hostMarks.includes(String.fromCharCode(code)),
)

/** Value of a hexadecimal digit, or 255. */
export const hexValue: Uint8Array = new Uint8Array(256).map((_, code) => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  if (code >= 0x41 && code <= 0x46) return code - 0x37
  if (code >= 0x61 && code <= 0x66) return code - 0x57
  return 255
})
