/**
 * Dialect `openai-chat`: OpenAI's Chat Completions API and its compatible vendors.
 * Reference: https://platform.openai.com/docs/api-reference/chat
 */
import type { Dialect } from '../../dialect.ts'
import { readError, writeError, writeStreamError } from '../openai-errors.ts'
import { readRequest } from './read-request.ts'
import { readResponse, writeResponse } from './response.ts'
import { streamReader } from './stream-reader.ts'
import { streamWriter } from './stream-writer.ts'
import { readUsageFigures } from './usage.ts'
import { writeRequest } from './write-request.ts'

export const openaiChat: Dialect = Object.freeze<Dialect>({
  id: 'openai-chat',
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  streamReader,
  streamWriter,
  readError,
  writeError,
  writeStreamError,
  readUsage: (body) => readUsageFigures(body['usage']),
})
