/**
 * Answers to requests that never become an exchange: a minimal JSON error, then the connection closes.
 * Assumes public texts from the catalogue; nothing of the request is echoed.
 */
import { type CatalogueEntry, faults } from '../../faults/catalogue.ts'
import type { HeadProblem } from './head.ts'
import { currentDateLine, statusLine } from './reply-head.ts'

export const problemFaults: Readonly<Record<HeadProblem, CatalogueEntry>> = Object.freeze({
  malformed: faults.malformedHttp,
  'too-large': faults.headersTooLarge,
  'too-many-headers': faults.headersTooLarge,
  'unsupported-version': faults.httpVersion,
  'not-implemented': faults.httpNotImplemented,
})

/** The error document of a fault that has no parameters. */
export function refusalBody(fault: CatalogueEntry): string {
  return JSON.stringify({ error: { code: fault.code, message: fault.text } })
}

/** A whole HTTP/1.1 reply that closes the connection. */
export function refusalReply(fault: CatalogueEntry): string {
  const body = refusalBody(fault)
  return (
    `${statusLine(fault.status)}${currentDateLine()}connection: close\r\n` +
    `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}
