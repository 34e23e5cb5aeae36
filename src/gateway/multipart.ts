/**
 * Finds one small text field in a multipart/form-data body (RFC 7578) that is already in memory. Reads no file
 * parts and decodes nothing; a body that is not what it claims to be has no fields.
 */
export interface FormField {
  readonly value: string
  /** Where the value stands, bytes. */
  readonly start: number
  readonly end: number
}

const maxParts = 64
const maxFieldBytes = 1024

/** The first text field called `name`, or null. */
export function formField(body: Buffer, contentType: string, name: string): FormField | null {
  const boundary = boundaryOf(contentType)
  if (boundary === null) return null
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  let at = body.indexOf(delimiter)
  for (let part = 0; at >= 0 && part < maxParts; part += 1) {
    const headStart = at + delimiter.length + 2
    const headEnd = body.indexOf('\r\n\r\n', headStart)
    if (headEnd < 0) return null
    const next = body.indexOf(delimiter, headEnd)
    if (next < 0) return null
    const start = headEnd + 4
    const end = next - 2
    if (isField(body.toString('latin1', headStart, headEnd), name) && end - start <= maxFieldBytes) {
      return { value: body.toString('utf8', start, end), start, end }
    }
    at = next
  }
  return null
}

function boundaryOf(contentType: string): string | null {
  const match = /^multipart\/form-data;.*?boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(
    contentType.slice(0, 500),
  )
  return match?.[1] ?? match?.[2] ?? null
}

function isField(head: string, name: string): boolean {
  const disposition = head.split('\r\n').find((line) => /^content-disposition:/i.test(line)) ?? ''
  return disposition.includes(`name="${name}"`) && !disposition.includes('filename')
}
