/** The Anthropic Messages dialect (`/v1/messages`, `anthropic-version: 2023-06-01`). */
import type { Dialect } from '../../dialect.ts'
import { readError, writeError, writeStreamError } from './errors.ts'
import { readRequest } from './request-reader.ts'
import { writeRequest } from './request-writer.ts'
import { readResponse, writeResponse } from './response.ts'
import { streamReader } from './stream-reader.ts'
import { streamWriter } from './stream-writer.ts'
import { readUsage } from './usage.ts'

export const anthropicMessages: Dialect = Object.freeze({
  id: 'anthropic-messages',
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
