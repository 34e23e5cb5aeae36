/**
 * Reads small text fields out of a multipart/form-data body (RFC 7578) that is already in memory, and proves on the
 * way that every parser must read the body alike: which model a form names decides what its sender may use, so a form
 * that two parsers could take differently is refused, not guessed at. File parts are passed over, nothing is decoded.
 *
 * Refused: preambles and epilogues, boundaries that do not stand alone on a line, folded, repeated or odd header
 * fields, names that need decoding, wanted fields that stand twice or come as files.
 * Bounds: 128 parts, 8 KiB of header a part, 1 KiB a wanted field. One pass over the body.
 */
export interface FormField {
  readonly value: string
  /** Where the value stands, bytes. */
  readonly start: number
  readonly end: number
}

/** The wanted fields that are there, by name. */
export type FormFields = ReadonlyMap<string, FormField>

const maxParts = 128
const maxPartHeadBytes = 8192
const maxFieldBytes = 1024

const blankLine = '\r\n\r\n'
const lineBreak = '\r\n'
const formType =
  /^multipart\/form-data[ \t]*;[ \t]*boundary=(?:"([A-Za-z0-9'()+_,./:=?-]{1,70})"|([A-Za-z0-9'+_.-]{1,70}))$/i
const headerLine = /^([A-Za-z-]{1,64}):([\t\x20-\x7e\x80-\xff]*)$/
const disposition = /^form-data((?:[ \t]*;[ \t]*[A-Za-z]+\*?=(?:"(?:[^"\\]|\\.)*"|[^\s";]+))+)$/i
const parameter = /;[ \t]*([A-Za-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))/g
const plainName = /^[A-Za-z0-9_.[\]-]{1,128}$/
const plainValue = /^[\x20-\x7e]*$/
/** Charsets in which visible ASCII stands for itself. */
const plainText = /^text\/plain(?:;[ \t]*charset=(?:utf-8|us-ascii|iso-8859-1))?$/i
const identityEncoding = /^(?:binary|8bit|7bit)$/i

/**
 * The fields of `wanted` (lower case), or why the form is refused.
 * @param contentType value of the request's Content-Type
 */
export function readForm(
  body: Buffer,
  contentType: string,
  wanted: ReadonlySet<string>,
): FormFields | string {
  const type = formType.exec(contentType)
  if (type === null) return 'it must be multipart/form-data with a plain boundary'
  const delimiter = Buffer.from(`--${type[1] ?? type[2] ?? ''}`, 'latin1')
  if (body.indexOf(delimiter) !== 0) return 'it must begin with its boundary'
  const fields = new Map<string, FormField>()
  let at = delimiter.length
  for (let part = 0; part < maxParts; part += 1) {
    const after = body.toString('latin1', at, at + 2)
    if (after === '--') {
      const rest = body.toString('latin1', at + 2, at + 5)
      return rest === '' || rest === lineBreak ? fields : 'bytes follow its last boundary'
    }
    if (after !== lineBreak) return 'a boundary does not stand on a line of its own'
    const span = spanOfPart(body, at + 2, delimiter)
    if (span === null) return 'a part is malformed or too large'
    const reason = readPart(body, span, { wanted, fields })
    if (reason !== null) return reason
    at = span.end + 2 + delimiter.length
  }
  return `it has more than ${maxParts} parts`
}

interface PartSpan {
  readonly head: string
  readonly start: number
  readonly end: number
}

/** Header and content of the part whose header begins at `from`. */
function spanOfPart(body: Buffer, from: number, delimiter: Buffer): PartSpan | null {
  const window = body.subarray(from, from + maxPartHeadBytes)
  const headEnd = window.indexOf(blankLine)
  if (headEnd < 0) return null
  const start = from + headEnd + blankLine.length
  const next = body.indexOf(delimiter, from)
  const end = next - lineBreak.length
  // The first occurrence counts, wherever it stands: other parsers may take it for the boundary.
  if (end < start || body[end] !== 0x0d || body[end + 1] !== 0x0a) return null
  return { head: window.toString('latin1', 0, headEnd), start, end }
}

interface PartHead {
  name: string
  isFile: boolean
  type: string
}

interface Reading {
  readonly wanted: ReadonlySet<string>
  readonly fields: Map<string, FormField>
}

/** Null, or why the form is refused. */
function readPart(body: Buffer, { head, start, end }: PartSpan, { wanted, fields }: Reading): string | null {
  const part = readPartHead(head)
  if (part === null) return 'the header of a part is malformed'
  const name = part.name.toLowerCase()
  if (!wanted.has(name)) return null
  if (part.name !== name || fields.has(name)) return `the field ${name} stands in it twice or in capitals`
  if (part.isFile || end - start > maxFieldBytes || (part.type !== '' && !plainText.test(part.type)))
    return `the field ${name} is not short text`
  const value = body.toString('latin1', start, end)
  if (!plainValue.test(value)) return `the field ${name} is not visible ASCII`
  fields.set(name, { value, start, end })
  return null
}

function readPartHead(head: string): PartHead | null {
  let part: PartHead | null = null
  let type = ''
  const seen = new Set<string>()
  for (const line of head.split(lineBreak)) {
    const match = headerLine.exec(line)
    const field = match?.[1]?.toLowerCase() ?? ''
    const value = match?.[2]?.trim() ?? ''
    if (field === '' || seen.has(field)) return null
    seen.add(field)
    if (field === 'content-disposition') part = readDisposition(value)
    else if (field === 'content-type') type = value
    else if (field === 'content-transfer-encoding' && !identityEncoding.test(value)) return null
  }
  return part === null ? null : { ...part, type }
}

function readDisposition(value: string): PartHead | null {
  const parameters = disposition.exec(value)?.[1]
  if (parameters === undefined) return null
  const part: PartHead = { name: '', isFile: false, type: '' }
  for (const match of parameters.matchAll(parameter)) {
    const key = match[1]?.toLowerCase() ?? ''
    if (key === 'name') {
      const name = match[2] ?? match[3] ?? ''
      if (part.name !== '' || !plainName.test(name)) return null
      part.name = name
    } else if (key === 'filename' || key === 'filename*') part.isFile = true
    else return null
  }
  return part.name === '' ? null : part
}
