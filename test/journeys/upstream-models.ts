/** Models of the journeys: one per upstream dialect, each served by a real HTTP server that speaks it. */
import type { UpstreamServer } from '../fixtures/upstream/upstream-server.ts'

/** Model name → provider row and dialect behind it. */
export const upstreamModels = {
  'via-openai': { provider: 'openai' },
  'via-chat': { provider: 'openai', dialect: 'openai-chat' },
  'via-responses': { provider: 'openai', dialect: 'openai-responses' },
  'via-anthropic': { provider: 'anthropic' },
  'via-gemini': { provider: 'gemini' },
  'via-bedrock': { provider: 'bedrock', region: 'us-east-1' },
} as const

export type UpstreamModel = keyof typeof upstreamModels

/** Every model but the native OpenAI one speaks one dialect only. */
export const dialectModels: readonly UpstreamModel[] = [
  'via-chat',
  'via-responses',
  'via-anthropic',
  'via-gemini',
  'via-bedrock',
]

const awsFields = { accessKeyId: 'env:AWS_ID', secretAccessKey: 'env:AWS_SECRET' }

/** Configuration with one deployment and route per model, all at `server`. */
export function upstreamConfig(server: UpstreamServer): Record<string, unknown> {
  const slugs = Object.entries(upstreamModels)
  return {
    deployments: slugs.map(([slug, row]) => ({
      slug,
      ...row,
      baseUrl: server.url,
      credential: row.provider === 'bedrock' ? awsFields : { apiKey: 'env:UPSTREAM_KEY' },
      allowPrivateNetwork: true,
    })),
    models: slugs.map(([name]) => ({ name, targets: [{ deployment: name, model: 'sandbox-model' }] })),
  }
}

export const upstreamEnvironment = {
  UPSTREAM_KEY: 'sk-upstream-secret-0123456789',
  AWS_ID: 'AKIDEXAMPLE0123456789',
  AWS_SECRET: 'aws-secret-access-key-0123456789abcdef',
}
