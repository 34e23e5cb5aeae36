/**
 * Dialect `openai-responses`: OpenAI's Responses API.
 * Reference: https://platform.openai.com/docs/api-reference/responses
 */
import { isJsonObject } from '../../../domain/json.ts'
import type { Dialect } from '../../dialect.ts'
import { readError, writeError } from '../openai-errors.ts'
import { readRequest } from './read-request.ts'
import { readResponse, writeResponse } from './response.ts'
import { streamReader } from './stream-reader.ts'
import { streamWriter, writeStreamError } from './stream-writer.ts'
import { readUsageFigures } from './usage.ts'
import { writeRequest } from './write-request.ts'

export const openaiResponses: Dialect = Object.freeze<Dialect>({
  id: 'openai-responses',
  readRequest,
  writeRequest,
  readResponse,
  writeResponse,
  streamReader,
  streamWriter,
  readError,
  writeError,
  writeStreamError,
  readUsage: (body) => {
    const { response } = body
    return readUsageFigures(isJsonObject(response) ? response['usage'] : body['usage'])
  },
})
