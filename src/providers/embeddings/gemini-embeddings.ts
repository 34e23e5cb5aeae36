/**
 * Gemini's `models.batchEmbedContents` (generativelanguage v1beta), whose list of requests answers as a list of
 * vectors in the same order. Vertex AI serves vectors by another API (`predict`), which is not spoken here.
 *
 * Source: https://ai.google.dev/api/embeddings
 */
import type { EmbeddingRequest, EmbeddingResponse } from '../../domain/embeddings.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts'
import { faults } from '../../faults/catalogue.ts'
import { Fault } from '../../kernel/fault.ts'
import { countOr, invalidField, isJsonArray, missingField, objectsIn, readOptionalCount } from '../reading.ts'

function writeRequest({ texts, dimensions }: EmbeddingRequest, model: string): JsonObject {
  const size = dimensions === null ? {} : { outputDimensionality: dimensions }
  return {
    requests: texts.map((text) => ({ model: `models/${model}`, content: { parts: [{ text }] }, ...size })),
  }
}

function readVector(embedding: JsonObject): readonly number[] {
  const values = embedding['values']
  if (isJsonArray(values) && values.length > 0 && values.every(isNumber)) return values
  throw new Fault(faults.upstreamMalformed, { internal: 'an embedding is no list of numbers' })
}

function isNumber(value: JsonValue): value is number {
  return typeof value === 'number'
}

function readResponse(body: JsonObject, count: number): EmbeddingResponse {
  const vectors = objectsIn(body['embeddings']).map(readVector)
  if (vectors.length !== count) {
    const internal = `${vectors.length} embeddings for ${count} texts`
    throw new Fault(faults.upstreamMalformed, { internal })
  }
  const usage = body['usageMetadata']
  return { vectors, inputTokens: isJsonObject(usage) ? countOr(usage['promptTokenCount'], null) : null }
}

export const geminiEmbeddings = Object.freeze({
  dialect: 'gemini',
  pathId: 'gemini.batch-embed',
  writeRequest,
  readResponse,
})

/** The request as a provider of this dialect reads it. @throws Fault naming the field at fault */
export function readGeminiEmbeddings(body: JsonObject): EmbeddingRequest {
  const requests = objectsIn(body['requests'])
  if (requests.length === 0) throw missingField('requests')
  const texts = requests.map((request, index) => {
    const content = request['content']
    const parts = isJsonObject(content) ? objectsIn(content['parts']) : []
    const texts = parts.map((part) => part['text']).filter((text) => typeof text === 'string')
    if (texts.length === 0) throw invalidField(`requests[${index}].content`, 'it must have parts of text')
    return texts.join('\n')
  })
  const dimensions = readOptionalCount(requests[0] ?? {}, 'outputDimensionality', 'requests[0]') ?? null
  return { texts, dimensions }
}
