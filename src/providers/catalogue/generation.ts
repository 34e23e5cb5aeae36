/**
 * Which operation id carries generation in each dialect, in the path tables of providers. Bedrock has no operation of
 * its own on our side, so its id exists here only.
 */
import { type DialectId, dialectIds } from '../../domain/dialect-id.ts'
import { operations } from '../../domain/operations.ts'
import { embeddingPathIds } from '../embeddings/embedding-form.ts'

export const generationPathIds: Readonly<Record<DialectId, string>> = Object.freeze({
  'openai-chat': 'chat.completions',
  'openai-responses': 'responses.create',
  'anthropic-messages': 'messages.create',
  gemini: 'gemini.generate',
  'bedrock-converse': 'bedrock.converse',
})

/** Suffix of a path id for the streaming form, where its path differs. */
export const streamSuffix = '#stream'

/** Every id that a provider's path table may use. */
export const pathIds: ReadonlySet<string> = new Set(
  [
    ...operations.map((operation) => operation.id),
    ...dialectIds.map((id) => generationPathIds[id]),
    ...embeddingPathIds,
  ].flatMap((id) => [id, id + streamSuffix]),
)
