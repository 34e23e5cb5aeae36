/**
 * Providers: vendors as rows of data, wire formats as code, and the sandbox model. A caller's dialect and a
 * deployment's dialect meet in the canonical form; where they are the same, nothing is translated.
 */
export type { AuthPorts } from './auth/authorize.ts'
export { createTokenFetcher } from './auth/token-fetcher.ts'
export { signRequest } from './aws/sigv4.ts'
export { createCatalogue, type ProviderCatalogue } from './catalogue/catalogue.ts'
export { type CompiledDeployment, compileDeployment } from './catalogue/compile-deployment.ts'
export { readEnvironment } from './catalogue/read-environment.ts'
export type { Dialect, Downgrade } from './dialect.ts'
export { geminiJsonArrayWriter } from './dialects/gemini/index.ts'
export { dialects } from './dialects.ts'
export { type EmbeddingForm, embeddingFormOf } from './embeddings/embedding-form.ts'
export { readOpenAiEmbeddings, writeOpenAiEmbeddings } from './embeddings/openai-embeddings.ts'
export { createSandbox } from './sandbox/sandbox.ts'
export { createSandboxClient } from './sandbox/sandbox-client.ts'
