/** The dialects that Gatewright speaks, by id. Adding one is a folder below `dialects/` and a row here. */
import type { DialectId } from '../domain/dialect-id.ts'
import type { Dialect } from './dialect.ts'
import { anthropicMessages } from './dialects/anthropic-messages/index.ts'
import { bedrockConverse } from './dialects/bedrock-converse/index.ts'
import { gemini } from './dialects/gemini/index.ts'
import { openaiChat } from './dialects/openai-chat/index.ts'
import { openaiResponses } from './dialects/openai-responses/index.ts'

export const dialects: Readonly<Record<DialectId, Dialect>> = Object.freeze({
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  gemini,
  'bedrock-converse': bedrockConverse,
})
