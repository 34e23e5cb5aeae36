/** How the providers of a dialect take texts and give vectors. Absent dialects have no embeddings of their own. */
import type { DialectId } from '../../domain/dialect-id.ts'
import type { EmbeddingRequest, EmbeddingResponse } from '../../domain/embeddings.ts'
import type { JsonObject } from '../../domain/json.ts'
import { geminiEmbeddings } from './gemini-embeddings.ts'

export interface EmbeddingForm {
  readonly dialect: DialectId
  /** Operation id in the path tables of providers. */
  readonly pathId: string
  /** @param model name at the provider */
  writeRequest(request: EmbeddingRequest, model: string): JsonObject
  /** @throws Fault `upstream.malformed` unless it holds one vector of numbers for each of `count` texts */
  readResponse(body: JsonObject, count: number): EmbeddingResponse
}

const forms: { readonly [id in DialectId]?: EmbeddingForm } = { gemini: geminiEmbeddings }

/** Undefined: providers of this dialect are asked in OpenAI's form or not at all. */
export function embeddingFormOf(dialect: DialectId): EmbeddingForm | undefined {
  return forms[dialect]
}

/** Ids that the path tables of providers may use for embeddings, besides the operation's own. */
export const embeddingPathIds: readonly string[] = Object.values(forms).map(({ pathId }) => pathId)
