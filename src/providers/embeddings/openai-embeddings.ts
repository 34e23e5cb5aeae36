/**
 * OpenAI's `POST /v1/embeddings`, as callers write it and read its answer.
 *
 * Source: https://platform.openai.com/docs/api-reference/embeddings
 */
import type { EmbeddingRequest, EmbeddingResponse } from '../../domain/embeddings.ts'
import type { JsonObject, JsonValue } from '../../domain/json.ts'
import type { WriteRequestContext } from '../dialect.ts'
import { cannotExpress } from '../native.ts'
import {
  expectString,
  invalidField,
  isJsonArray,
  missingField,
  readOptionalCount,
  readOptionalString,
} from '../reading.ts'
import type { EmbeddingForm } from './embedding-form.ts'
import { encodeVector } from './encode-vector.ts'

const known: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'encoding_format', 'user'])

/**
 * The request on its way to a provider of another dialect.
 * @throws Fault naming the field that is malformed, or that the other dialect has no word for
 */
export function readOpenAiEmbeddings(
  body: JsonObject,
  { dialect }: Pick<EmbeddingForm, 'dialect'>,
  { downgrade }: Pick<WriteRequestContext, 'downgrade'>,
): EmbeddingRequest {
  for (const field in body) {
    if (!known.has(field) && body[field] !== null)
      throw cannotExpress(field, dialect, 'it is particular to another API')
  }
  if (readOptionalString(body, 'user', '') !== undefined)
    downgrade({ field: 'user', reason: 'the provider takes no name of an end user' })
  readFormat(body)
  const dimensions = readOptionalCount(body, 'dimensions', '') ?? null
  if (dimensions === 0) throw invalidField('dimensions', 'it must be at least 1')
  return { texts: readTexts(body['input'] ?? null, dialect), dimensions }
}

function readTexts(input: JsonValue, dialect: EmbeddingForm['dialect']): readonly string[] {
  if (input === null) throw missingField('input')
  if (typeof input === 'string') return [input]
  if (!isJsonArray(input) || input.length === 0)
    throw invalidField('input', 'it must be text or a list of texts')
  if (typeof input[0] === 'number' || isJsonArray(input[0]))
    throw cannotExpress('input', dialect, 'the provider takes texts, not the numbers of tokens')
  return input.map((text, index) => expectString(text, `input[${index}]`))
}

function readFormat(body: JsonObject): 'float' | 'base64' {
  const format = readOptionalString(body, 'encoding_format', '') ?? 'float'
  if (format === 'float' || format === 'base64') return format
  throw invalidField('encoding_format', 'it must be float or base64')
}

/** The answer to `request`, in the encoding that it asked for. */
export function writeOpenAiEmbeddings(
  { vectors, inputTokens }: EmbeddingResponse & { readonly inputTokens: number },
  { model, request }: { readonly model: string; readonly request: JsonObject },
): JsonObject {
  const asText = readFormat(request) === 'base64'
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: asText ? encodeVector(vector) : vector,
    })),
    model,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  }
}
