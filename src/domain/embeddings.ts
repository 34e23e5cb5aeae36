/** Embeddings between dialects: what every vendor's API can ask for and answer. */
export interface EmbeddingRequest {
  /** At least one. */
  readonly texts: readonly string[]
  /** Length of the vectors; null: the model's own. */
  readonly dimensions: number | null
}

export interface EmbeddingResponse {
  /** One per text, in the same order. */
  readonly vectors: readonly (readonly number[])[]
  /** Null where the provider told none. */
  readonly inputTokens: number | null
}
