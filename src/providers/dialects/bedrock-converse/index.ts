/** The Bedrock Converse dialect (`/model/{modelId}/converse`, `/converse-stream`). */
import type { Dialect } from '../../dialect.ts'
import { readError, writeError, writeStreamError } from './errors.ts'
import { readRequest } from './request-reader.ts'
import { writeRequest } from './request-writer.ts'
import { readResponse, writeResponse } from './response.ts'
import { streamReader } from './stream-reader.ts'
import { streamWriter } from './stream-writer.ts'
import { readUsage } from './usage.ts'

export const bedrockConverse: Dialect = Object.freeze({
  id: 'bedrock-converse',
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
