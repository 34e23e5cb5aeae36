/**
 * The provider catalogue: one row per vendor, as data. `compile-provider.ts` checks each row when this module loads
 * and fills in what a row leaves out. A vendor that speaks a known dialect needs a row here, or the same JSON in the
 * configuration, and no code.
 *
 * Paths follow each vendor's reference (`documentation`). Looked up in November 2026: Azure, Bedrock, Cohere, DeepSeek,
 * Fireworks, Groq, LM Studio, xAI; the others are from general knowledge, and no row was tried on a vendor's live
 * service. A row lists a generation operation of a second dialect only where the vendor documents that endpoint for
 * general use: the gateway passes requests of that dialect through untouched, so a half-served endpoint would be worse
 * than a translation.
 */
import type { PathTable, ProviderRow } from '../../domain/provider.ts'

// Paths below an OpenAI-shaped base URL, which ends in /v1 or its equivalent.
const chat: PathTable = { 'chat.completions': '/chat/completions' }
const responses: PathTable = { 'responses.create': '/responses' }
const completions: PathTable = { completions: '/completions' }
const embeddings: PathTable = { embeddings: '/embeddings' }
const moderations: PathTable = { moderations: '/moderations' }
const messages: PathTable = { 'messages.create': '/messages' }
const imagesGenerate: PathTable = { 'images.generate': '/images/generations' }
const imagesEdit: PathTable = { 'images.edit': '/images/edits' }
const speech: PathTable = { 'audio.speech': '/audio/speech' }
const transcriptions: PathTable = { 'audio.transcribe': '/audio/transcriptions' }
const translations: PathTable = { 'audio.translate': '/audio/translations' }
const audio: PathTable = { ...speech, ...transcriptions, ...translations }
const files: PathTable = {
  'files.create': '/files',
  'files.list': '/files',
  'files.get': '/files/{rest}',
  'files.delete': '/files/{rest}',
}
const batches: PathTable = {
  'batches.create': '/batches',
  'batches.list': '/batches',
  'batches.get': '/batches/{rest}',
  'batches.cancel': '/batches/{rest}',
}
const openaiPaths: PathTable = {
  ...chat,
  ...responses,
  ...completions,
  ...embeddings,
  ...moderations,
  ...imagesGenerate,
  ...imagesEdit,
  'images.variation': '/images/variations',
  ...audio,
  ...files,
  ...batches,
}
const selfHostedPaths: PathTable = { ...chat, ...responses, ...completions, ...embeddings, ...messages }

const geminiPaths: PathTable = {
  'gemini.generate': '/v1beta/models/{model}:generateContent',
  'gemini.generate#stream': '/v1beta/models/{model}:streamGenerateContent?alt=sse',
  'gemini.batch-embed': '/v1beta/models/{model}:batchEmbedContents',
}
const vertexModel = '/v1/projects/{project}/locations/{region}/publishers/google/models/{model}'
const vertexPaths: PathTable = {
  'gemini.generate': `${vertexModel}:generateContent`,
  'gemini.generate#stream': `${vertexModel}:streamGenerateContent?alt=sse`,
}
const conversePaths: PathTable = {
  'bedrock.converse': '/model/{model}/converse',
  'bedrock.converse#stream': '/model/{model}/converse-stream',
}
const anthropicPaths: PathTable = {
  'messages.create': '/v1/messages',
  'messages.count-tokens': '/v1/messages/count_tokens',
}

/** Every path put below `prefix`, with `suffix` behind. */
function below(prefix: string, paths: PathTable, suffix = ''): PathTable {
  return Object.fromEntries(Object.entries(paths).map(([id, path]) => [id, prefix + path + suffix]))
}

const bearer = { kind: 'bearer' } as const
const optionalBearer = { kind: 'bearer', optional: true } as const
const googleOauth = { kind: 'google-oauth', scope: 'https://www.googleapis.com/auth/cloud-platform' } as const
const anthropicHeaders = { 'anthropic-version': '2023-06-01' }
const streamUsage = { requestStreamUsage: true } as const
const openaiForward = ['openai-organization', 'openai-project', 'openai-beta', 'x-client-request-id']
const anthropicForward = ['anthropic-beta', 'anthropic-version']
const serviceAccountFile = ['GOOGLE_APPLICATION_CREDENTIALS']
const googleProject = ['GOOGLE_CLOUD_PROJECT', 'GOOGLE_VERTEX_PROJECT']

const hosted: readonly ProviderRow[] = [
  {
    id: 'openai',
    name: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: openaiPaths,
    forwardHeaders: openaiForward,
    environment: { apiKey: ['OPENAI_API_KEY'], baseUrl: ['OPENAI_BASE_URL'] },
    modelPatterns: [
      ...['gpt-*', 'chatgpt-*', 'o1*', 'o3*', 'o4*', 'codex-*', 'computer-use-*', 'text-embedding-*'],
      ...['omni-moderation-*', 'text-moderation-*', 'dall-e-*', 'tts-*', 'whisper-*'],
    ],
    quirks: { ...streamUsage, maxTokensField: 'max_completion_tokens' },
    documentation: 'https://platform.openai.com/docs/api-reference',
  },
  {
    id: 'azure-openai',
    name: 'Azure OpenAI',
    baseUrl: 'https://{resource}.openai.azure.com',
    dialect: 'openai-chat',
    auth: { kind: 'header', header: 'api-key' },
    // The v1 surface: no dated api-version; the body's model is the name of the Azure deployment.
    paths: below('/openai/v1', {
      ...chat,
      ...responses,
      ...completions,
      ...embeddings,
      ...imagesGenerate,
      ...imagesEdit,
      ...audio,
      ...files,
      ...batches,
    }),
    forwardHeaders: ['x-ms-client-request-id'],
    environment: { apiKey: ['AZURE_OPENAI_API_KEY'], baseUrl: ['AZURE_OPENAI_ENDPOINT'] },
    quirks: { ...streamUsage, maxTokensField: 'max_completion_tokens' },
    documentation: 'https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle',
  },
  {
    id: 'azure-openai-deployments',
    name: 'Azure OpenAI (dated API versions)',
    baseUrl: 'https://{resource}.openai.azure.com',
    dialect: 'openai-chat',
    auth: { kind: 'header', header: 'api-key' },
    paths: below(
      '/openai/deployments/{model}',
      { ...chat, ...completions, ...embeddings, ...imagesGenerate, ...imagesEdit, ...audio },
      '?api-version={apiVersion}',
    ),
    forwardHeaders: ['x-ms-client-request-id'],
    defaults: { apiVersion: '2024-10-21' },
    quirks: { ...streamUsage, maxTokensField: 'max_completion_tokens' },
    documentation: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference',
  },
  {
    id: 'anthropic',
    name: 'Anthropic',
    baseUrl: 'https://api.anthropic.com',
    dialect: 'anthropic-messages',
    auth: { kind: 'header', header: 'x-api-key' },
    paths: anthropicPaths,
    headers: anthropicHeaders,
    forwardHeaders: anthropicForward,
    environment: { apiKey: ['ANTHROPIC_API_KEY'], baseUrl: ['ANTHROPIC_BASE_URL'] },
    modelPatterns: ['claude-*'],
    documentation: 'https://docs.claude.com/en/api/overview',
  },
  {
    id: 'gemini',
    name: 'Google Gemini API',
    baseUrl: 'https://generativelanguage.googleapis.com',
    dialect: 'gemini',
    auth: { kind: 'header', header: 'x-goog-api-key' },
    paths: geminiPaths,
    environment: { apiKey: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], baseUrl: ['GOOGLE_GEMINI_BASE_URL'] },
    modelPatterns: ['gemini-*', 'gemma-*', 'learnlm-*'],
    documentation: 'https://ai.google.dev/api',
  },
  {
    id: 'vertex',
    name: 'Google Vertex AI (regional)',
    baseUrl: 'https://{region}-aiplatform.googleapis.com',
    dialect: 'gemini',
    auth: googleOauth,
    paths: vertexPaths,
    environment: {
      serviceAccountFile,
      project: googleProject,
      region: ['GOOGLE_CLOUD_LOCATION', 'GOOGLE_CLOUD_REGION'],
    },
    documentation: 'https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest-rpc',
  },
  {
    id: 'vertex-global',
    name: 'Google Vertex AI (global endpoint)',
    baseUrl: 'https://aiplatform.googleapis.com',
    dialect: 'gemini',
    auth: googleOauth,
    paths: vertexPaths,
    defaults: { region: 'global' },
    documentation: 'https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations',
  },
  {
    id: 'bedrock',
    name: 'Amazon Bedrock',
    baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
    dialect: 'bedrock-converse',
    auth: { kind: 'sigv4', service: 'bedrock' },
    paths: conversePaths,
    environment: {
      apiKey: ['AWS_BEARER_TOKEN_BEDROCK'],
      accessKeyId: ['AWS_ACCESS_KEY_ID'],
      secretAccessKey: ['AWS_SECRET_ACCESS_KEY'],
      sessionToken: ['AWS_SESSION_TOKEN'],
      region: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    },
    modelPatterns: [
      ...['anthropic.*', 'amazon.*', 'meta.*', 'mistral.*', 'cohere.*', 'ai21.*', 'deepseek.*', 'openai.*'],
      ...['qwen.*', 'us.*', 'eu.*', 'apac.*', 'global.*'],
    ],
    documentation: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
  },
  {
    id: 'mistral',
    name: 'Mistral AI',
    baseUrl: 'https://api.mistral.ai/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...embeddings, ...moderations, ...transcriptions, ...files },
    environment: { apiKey: ['MISTRAL_API_KEY'] },
    modelPatterns: [
      ...['mistral-*', 'ministral-*', 'magistral-*', 'codestral-*', 'devstral-*', 'pixtral-*', 'voxtral-*'],
      ...['open-mistral-*', 'open-mixtral-*'],
    ],
    quirks: { renameFields: { seed: 'random_seed' }, maxTokensField: 'max_tokens' },
    documentation: 'https://docs.mistral.ai/api',
  },
  {
    id: 'cohere',
    name: 'Cohere (compatibility API)',
    baseUrl: 'https://api.cohere.ai/compatibility/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...embeddings },
    environment: { apiKey: ['COHERE_API_KEY', 'CO_API_KEY'] },
    modelPatterns: ['command-*', 'c4ai-*', 'embed-*'],
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://docs.cohere.com/docs/compatibility-api',
  },
  {
    id: 'groq',
    name: 'Groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...responses, ...audio, ...files, ...batches },
    environment: { apiKey: ['GROQ_API_KEY'] },
    quirks: { ...streamUsage, maxTokensField: 'max_completion_tokens' },
    documentation: 'https://console.groq.com/docs/openai',
  },
  {
    id: 'together',
    name: 'Together AI',
    baseUrl: 'https://api.together.xyz/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...completions, ...embeddings, ...imagesGenerate, ...audio, ...files, ...batches },
    environment: { apiKey: ['TOGETHER_API_KEY'] },
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://docs.together.ai/docs/openai-api-compatibility',
  },
  {
    id: 'fireworks',
    name: 'Fireworks AI',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...responses, ...completions, ...embeddings, ...messages },
    forwardHeaders: ['x-session-affinity', ...anthropicForward],
    environment: { apiKey: ['FIREWORKS_API_KEY'] },
    modelPatterns: ['accounts/fireworks/*'],
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
  },
  {
    id: 'deepseek',
    name: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, 'messages.create': '/anthropic/v1/messages' },
    forwardHeaders: anthropicForward,
    environment: { apiKey: ['DEEPSEEK_API_KEY'] },
    modelPatterns: ['deepseek-*'],
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://api-docs.deepseek.com',
  },
  {
    id: 'xai',
    name: 'xAI',
    baseUrl: 'https://api.x.ai/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...responses, ...imagesGenerate, ...imagesEdit, ...files, ...batches },
    forwardHeaders: ['x-grok-conv-id'],
    environment: { apiKey: ['XAI_API_KEY'] },
    modelPatterns: ['grok-*'],
    quirks: { ...streamUsage, maxTokensField: 'max_completion_tokens' },
    documentation: 'https://docs.x.ai/api-reference',
  },
  {
    id: 'openrouter',
    name: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat, ...responses, ...completions, ...embeddings, ...messages },
    forwardHeaders: ['http-referer', 'x-title', ...anthropicForward],
    environment: { apiKey: ['OPENROUTER_API_KEY'] },
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://openrouter.ai/docs/api-reference/overview',
  },
  {
    id: 'perplexity',
    name: 'Perplexity',
    baseUrl: 'https://api.perplexity.ai',
    dialect: 'openai-chat',
    auth: bearer,
    paths: { ...chat },
    environment: { apiKey: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'] },
    modelPatterns: ['sonar*'],
    quirks: { maxTokensField: 'max_tokens' },
    documentation: 'https://docs.perplexity.ai/api-reference/chat-completions-post',
  },
  {
    id: 'nvidia-nim',
    name: 'NVIDIA NIM',
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    dialect: 'openai-chat',
    auth: optionalBearer,
    paths: { ...chat, ...completions, ...embeddings },
    environment: { apiKey: ['NVIDIA_API_KEY', 'NGC_API_KEY'], baseUrl: ['NIM_BASE_URL'] },
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
  },
]

const selfHosted: readonly ProviderRow[] = [
  {
    id: 'vllm',
    name: 'vLLM',
    baseUrl: 'http://127.0.0.1:8000/v1',
    dialect: 'openai-chat',
    auth: optionalBearer,
    paths: { ...selfHostedPaths, ...transcriptions, ...translations },
    forwardHeaders: anthropicForward,
    environment: { baseUrl: ['VLLM_BASE_URL'], apiKey: ['VLLM_API_KEY'] },
    privateNetwork: true,
    quirks: { ...streamUsage, maxTokensField: 'max_completion_tokens' },
    documentation: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
  },
  {
    id: 'ollama',
    name: 'Ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    dialect: 'openai-chat',
    auth: optionalBearer,
    paths: selfHostedPaths,
    forwardHeaders: anthropicForward,
    environment: { baseUrl: ['OLLAMA_BASE_URL'], apiKey: ['OLLAMA_API_KEY'] },
    privateNetwork: true,
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://docs.ollama.com/api/openai-compatibility',
  },
  {
    id: 'lm-studio',
    name: 'LM Studio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    dialect: 'openai-chat',
    auth: optionalBearer,
    paths: selfHostedPaths,
    forwardHeaders: anthropicForward,
    environment: { baseUrl: ['LM_STUDIO_BASE_URL'], apiKey: ['LM_STUDIO_API_KEY'] },
    privateNetwork: true,
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://lmstudio.ai/docs/developer/openai-compat',
  },
  {
    id: 'openai-compatible',
    name: 'Any OpenAI-compatible server',
    dialect: 'openai-chat',
    auth: optionalBearer,
    // Responses are left out: few servers have them, and the gateway translates them to chat completions.
    paths: { ...chat, ...completions, ...embeddings, ...moderations, ...imagesGenerate, ...audio, ...files },
    environment: {},
    quirks: { ...streamUsage, maxTokensField: 'max_tokens' },
    documentation: 'https://platform.openai.com/docs/api-reference/chat',
  },
]

/** Host at which the built-in sandbox answers in process; no name server knows it (ICANN reserved `.internal` for private use in 2024). */
export const sandboxHost = 'sandbox.gatewright.internal'

const sandbox: ProviderRow = {
  id: 'sandbox',
  name: 'Built-in sandbox model',
  baseUrl: `https://${sandboxHost}`,
  dialect: 'openai-chat',
  auth: { kind: 'none' },
  paths: { ...below('/v1', openaiPaths), ...anthropicPaths, ...geminiPaths, ...conversePaths },
  forwardHeaders: [...openaiForward, ...anthropicForward],
  modelPatterns: ['sandbox', 'sandbox-*'],
  quirks: streamUsage,
}

/** All rows in the order in which they are listed to people. */
export const providerRows: readonly ProviderRow[] = [...hosted, ...selfHosted, sandbox]
