/** The Gemini dialect (generativelanguage v1beta and Vertex AI: generateContent, streamGenerateContent). */
import type { Dialect } from '../../dialect.ts'
import { readError, writeError, writeStreamError } from './errors.ts'
import { readRequest } from './request-reader.ts'
import { writeRequest } from './request-writer.ts'
import { readResponse, writeResponse } from './response.ts'
import { streamReader } from './stream-reader.ts'
import { streamWriter } from './stream-writer.ts'
import { readUsage } from './usage.ts'

export { jsonArrayWriter as geminiJsonArrayWriter } from './stream-writer.ts'

export const gemini: Dialect = Object.freeze({
  id: 'gemini',
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  streamReader,
  streamWriter,
  readError,
  writeError,
  writeStreamError,
  readUsage,
})
