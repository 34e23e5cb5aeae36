/**
 * List prices in US dollars per million tokens, as data; organizations override or add rows in configuration.
 *
 * As of 23 November 2026, from the vendors' public price pages (named per group) by way of the open data set
 * genai-prices 0.2.3 (Pydantic, MIT). Standard tier, base step: surcharges for long prompts, batch and priority
 * discounts, tool fees and per-image or per-second prices are not in the table.
 *
 * A row: model, input, output, cached input, cache write (Anthropic: the five-minute cache). A model stands for its
 * dated and aliased names too (`suffixes`), unless it is a pattern itself. Names without `*` are real model names: they
 * are offered where a provider's models are listed. A price left out is null: the input price for cached and
 * cache-writing tokens.
 */
import type { PriceRow } from '../domain/snapshot.ts'

type Figures = readonly [model: string, input: number, output: number, cached?: number, cacheWrite?: number]

interface PriceGroup {
  readonly providers: readonly string[]
  readonly suffixes: readonly string[]
  readonly prefixes?: readonly string[]
  readonly models: readonly Figures[]
}

const groups: readonly PriceGroup[] = [
  {
    // https://platform.openai.com/docs/pricing
    providers: ['openai', 'azure-openai', 'azure-openai-deployments'],
    suffixes: ['', '-20*', '-latest*'],
    models: [
      ['gpt-6-astra', 10, 50, 1, 12.5],
      ['gpt-6.1-sol', 2, 10, 0.1, 2.5],
      ['gpt-6.1-terra', 1, 5, 0.05, 1.25],
      ['gpt-6-sol', 2, 10, 0.2, 2.5],
      ['gpt-6-luna', 0.1, 0.5, 0.01, 0.125],
      ['gpt-5.6-sol', 4, 20, 0.4, 5],
      ['gpt-5.6-terra', 2, 12, 0.2, 2.5],
      ['gpt-5.6-luna', 0.2, 1.2, 0.02, 0.25],
      ['gpt-5.5', 5, 30, 0.5],
      ['gpt-5.5-pro', 30, 180],
      ['gpt-5.4', 2.5, 15, 0.25],
      ['gpt-5.4-mini', 0.75, 4.5, 0.075],
      ['gpt-5.4-nano', 0.2, 1.25, 0.02],
      ['gpt-5.3-codex', 1.75, 14, 0.175],
      ['gpt-5.2', 1.75, 14, 0.175],
      ['gpt-5.2-pro', 21, 168],
      ['gpt-5.1', 1.25, 10, 0.125],
      ['gpt-5', 1.25, 10, 0.125],
      ['gpt-5-mini', 0.25, 2, 0.025],
      ['gpt-5-nano', 0.05, 0.4, 0.005],
      ['gpt-5-pro', 15, 120],
      ['gpt-4.1', 2, 8, 0.5],
      ['gpt-4.1-mini', 0.4, 1.6, 0.1],
      ['gpt-4.1-nano', 0.1, 0.4, 0.025],
      ['gpt-4o', 2.5, 10, 1.25],
      ['gpt-4o-mini', 0.15, 0.6, 0.075],
      ['gpt-4-turbo', 10, 30],
      ['gpt-4', 30, 60],
      ['gpt-3.5-turbo', 0.5, 1.5],
      ['gpt-3.5-turbo-instruct', 1.5, 2],
      ['o1', 15, 60, 7.5],
      ['o1-pro', 150, 600],
      ['o3', 2, 8, 0.5],
      ['o3-pro', 20, 80],
      ['o3-mini', 1.1, 4.4, 0.55],
      ['o4-mini', 1.1, 4.4, 0.275],
      ['gpt-image-2', 5, 30, 1.25],
      ['gpt-image-1.5', 5, 10, 1.25],
      ['gpt-image-1', 5, 40, 1.25],
      ['gpt-4o-transcribe', 2.5, 10],
      ['gpt-4o-mini-transcribe', 1.25, 5],
      ['text-embedding-3-large', 0.13, 0],
      ['text-embedding-3-small', 0.02, 0],
      ['text-embedding-ada-002', 0.1, 0],
      ['omni-moderation-*', 0, 0],
    ],
  },
  {
    // https://claude.com/pricing#api
    providers: ['anthropic'],
    suffixes: ['', '-20*'],
    models: [
      ['claude-fable-5-2', 8, 40, 0.2, 10],
      ['claude-fable-5-1', 10, 50, 0.25, 12.5],
      ['claude-fable-5', 10, 50, 1, 12.5],
      ['claude-opus-5-5', 4, 20, 0.2, 5],
      ['claude-opus-5', 5, 25, 0.5, 6.25],
      ['claude-opus-4-8', 5, 25, 0.5, 6.25],
      ['claude-opus-4-7', 5, 25, 0.5, 6.25],
      ['claude-opus-4-6', 5, 25, 0.5, 6.25],
      ['claude-opus-4-5', 5, 25, 0.5, 6.25],
      ['claude-opus-4-1', 15, 75, 1.5, 18.75],
      ['claude-opus-4-0', 15, 75, 1.5, 18.75],
      ['claude-opus-4-20*', 15, 75, 1.5, 18.75],
      ['claude-sonnet-5-5', 2, 10, 0.1, 2.5],
      ['claude-sonnet-5', 2, 10, 0.2, 2.5],
      ['claude-sonnet-4-6', 3, 15, 0.3, 3.75],
      ['claude-sonnet-4-5', 3, 15, 0.3, 3.75],
      ['claude-sonnet-4-0', 3, 15, 0.3, 3.75],
      ['claude-sonnet-4-20*', 3, 15, 0.3, 3.75],
      ['claude-3-7-sonnet-*', 3, 15, 0.3, 3.75],
      ['claude-3-5-sonnet-*', 3, 15, 0.3, 3.75],
      ['claude-haiku-5-5', 0.1, 0.5, 0.01, 0.125],
      ['claude-haiku-4-5', 1, 5, 0.1, 1.25],
      ['claude-3-5-haiku-*', 0.8, 4, 0.08, 1],
      ['claude-3-haiku-*', 0.25, 1.25, 0.03, 0.3],
    ],
  },
  {
    // https://ai.google.dev/gemini-api/docs/pricing
    providers: ['gemini', 'vertex', 'vertex-global'],
    suffixes: ['', '-0*', '-preview-0*'],
    models: [
      ['gemini-4-argon', 2, 10, 0.1],
      ['gemini-3.8-flash', 0.75, 3.75, 0.075],
      ['gemini-3.7-flash', 0.75, 3.75, 0.075],
      ['gemini-3.6-flash', 0.75, 3.75, 0.075],
      ['gemini-3.5-flash', 1.5, 9, 0.15],
      ['gemini-3.5-flash-lite', 0.3, 2.5, 0.03],
      ['gemini-3.1-pro-preview', 2, 12, 0.2],
      ['gemini-3.1-flash-lite', 0.25, 1.5, 0.025],
      ['gemini-3-pro-preview', 2, 12, 0.2],
      ['gemini-3-flash-preview', 0.5, 3, 0.05],
      ['gemini-2.5-pro', 1.25, 10, 0.125],
      ['gemini-2.5-flash', 0.3, 2.5, 0.03],
      ['gemini-2.5-flash-lite', 0.1, 0.4, 0.01],
      ['gemini-2.0-flash', 0.1, 0.4, 0.025],
      ['gemini-2.0-flash-lite', 0.075, 0.3],
      ['gemini-embedding-001', 0.15, 0],
    ],
  },
  {
    // https://aws.amazon.com/bedrock/pricing (in-region and geographic inference, versioned names)
    providers: ['bedrock'],
    suffixes: ['-20*', '-v*'],
    prefixes: ['', 'us.', 'eu.', 'apac.', 'jp.', 'au.'],
    models: [
      ['anthropic.claude-opus-4-5', 5.5, 27.5, 0.55, 6.875],
      ['anthropic.claude-sonnet-4-6', 3.3, 16.5, 0.33, 4.125],
      ['anthropic.claude-sonnet-4-5', 3.3, 16.5, 0.33, 4.125],
      ['anthropic.claude-haiku-4-5', 1.1, 5.5, 0.11, 1.375],
      ['anthropic.claude-3-7-sonnet', 3, 15, 0.3, 3.75],
      ['anthropic.claude-3-5-haiku', 0.8, 4, 0.08, 1],
      ['amazon.nova-premier', 2.5, 12.5, 0.625],
      ['amazon.nova-pro', 0.8, 3.2, 0.2],
      ['amazon.nova-lite', 0.06, 0.24, 0.015],
      ['amazon.nova-micro', 0.035, 0.14, 0.00875],
      ['amazon.nova-2-lite', 0.33, 2.75, 0.0825],
      ['meta.llama4-maverick-17b-instruct', 0.24, 0.97],
      ['meta.llama3-3-70b-instruct', 0.72, 0.72],
      ['deepseek.r1', 1.35, 5.4],
    ],
  },
  {
    // The same page: names without a version.
    providers: ['bedrock'],
    suffixes: [''],
    prefixes: ['us.', 'eu.'],
    models: [
      ['anthropic.claude-opus-5-5', 4.4, 22, 0.22, 5.5],
      ['anthropic.claude-opus-5', 5.5, 27.5, 0.55, 6.875],
      ['anthropic.claude-sonnet-5-5', 2.2, 11, 0.11, 2.75],
      ['anthropic.claude-haiku-5-5', 0.11, 0.55, 0.011, 0.1375],
    ],
  },
  {
    // The same page: global inference profiles.
    providers: ['bedrock'],
    suffixes: [''],
    prefixes: ['global.'],
    models: [
      ['anthropic.claude-opus-5-5', 4, 20, 0.2, 5],
      ['anthropic.claude-opus-5', 5, 25, 0.5, 6.25],
      ['anthropic.claude-opus-4-5-*', 5, 25, 0.5, 6.25],
      ['anthropic.claude-sonnet-5-5', 2, 10, 0.1, 2.5],
      ['anthropic.claude-sonnet-4-5-*', 3, 15, 0.3, 3.75],
      ['anthropic.claude-haiku-5-5', 0.1, 0.5, 0.01, 0.125],
      ['anthropic.claude-haiku-4-5-*', 1, 5, 0.1, 1.25],
      ['amazon.nova-2-lite-*', 0.3, 2.5, 0.075],
    ],
  },
  {
    // https://mistral.ai/pricing
    providers: ['mistral'],
    suffixes: [''],
    models: [
      ['mistral-large-4*', 0.7, 2.1, 0.07],
      ['mistral-large-2512', 0.5, 1.5, 0.05],
      ['mistral-medium-3-5*', 1.5, 7.5, 0.15],
      ['mistral-medium-latest', 1.5, 7.5, 0.15],
      ['mistral-medium-3-1*', 0.4, 2, 0.04],
      ['mistral-small-2603', 0.15, 0.6, 0.015],
      ['mistral-small-latest', 0.15, 0.6, 0.015],
      ['ministral-14b-2512', 0.2, 0.2, 0.02],
      ['ministral-8b-2512', 0.15, 0.15, 0.015],
      ['ministral-3b-2512', 0.1, 0.1, 0.01],
      ['codestral-2508', 0.3, 0.9, 0.03],
      ['mistral-embed*', 0.1, 0],
    ],
  },
  {
    // https://cohere.com/pricing
    providers: ['cohere'],
    suffixes: ['', '-0*'],
    models: [
      ['command-a', 2.5, 10],
      ['command-r-plus', 2.5, 10],
      ['command-r', 0.15, 0.6],
      ['command-r7b', 0.0375, 0.15],
      ['embed-v4.0', 0.12, 0],
    ],
  },
  {
    // https://groq.com/pricing
    providers: ['groq'],
    suffixes: [''],
    models: [
      ['openai/gpt-oss-120b', 0.15, 0.6, 0.075],
      ['openai/gpt-oss-20b', 0.075, 0.3, 0.0375],
      ['llama-3.3-70b-versatile', 0.59, 0.79],
      ['llama-3.1-8b-instant', 0.05, 0.08],
      ['meta-llama/llama-4-maverick-17b-128e-instruct', 0.2, 0.6],
      ['meta-llama/llama-4-scout-17b-16e-instruct', 0.11, 0.34],
      ['qwen/qwen3-32b', 0.29, 0.59],
    ],
  },
  {
    // https://api-docs.deepseek.com/quick_start/pricing
    providers: ['deepseek'],
    suffixes: [''],
    models: [
      ['deepseek-v4-pro', 0.66, 1.98, 0.022],
      ['deepseek-flash', 0.15, 0.6, 0.003],
      ['deepseek-v4-flash', 0.15, 0.6, 0.003],
      ['deepseek-chat*', 0.135, 0.55, 0.035],
      ['deepseek-reasoner*', 0.135, 0.55, 0.035],
    ],
  },
  {
    // https://docs.x.ai/docs/models
    providers: ['xai'],
    suffixes: ['', '-0*', '-latest*'],
    models: [
      ['grok-4.7', 2, 6, 0.5],
      ['grok-4.6', 2, 6, 0.5],
      ['grok-4.5', 2, 6, 0.3],
      ['grok-4.3', 1.25, 2.5, 0.2],
      ['grok-4.20', 1.25, 2.5, 0.2],
      ['grok-4', 3, 15, 0.75],
      ['grok-4-1-fast-reasoning', 0.2, 0.5, 0.05],
      ['grok-4-1-fast-non-reasoning', 0.2, 0.5, 0.05],
      ['grok-code-fast-1', 0.2, 1.5, 0.02],
      ['grok-3', 3, 15, 0.75],
      ['grok-3-mini', 0.3, 0.5, 0.075],
    ],
  },
  {
    // https://docs.perplexity.ai/getting-started/pricing (request fees come on top)
    providers: ['perplexity'],
    suffixes: [''],
    models: [
      ['sonar', 1, 1],
      ['sonar-pro', 3, 15],
      ['sonar-reasoning-pro', 2, 8],
      ['sonar-deep-research', 2, 8],
    ],
  },
  { providers: ['sandbox'], suffixes: [''], models: [['*', 0, 0]] },
]

function expand(group: PriceGroup): readonly PriceRow[] {
  const { providers, suffixes, prefixes = [''], models } = group
  return providers.flatMap((provider) =>
    prefixes.flatMap((prefix) =>
      models.flatMap(([model, input, output, cached = null, cacheWrite = null]) =>
        (model.endsWith('*') ? [''] : suffixes).map((suffix) => ({
          provider,
          model: prefix + model + suffix,
          inputPerMillion: input,
          outputPerMillion: output,
          cachedInputPerMillion: cached,
          cacheWritePerMillion: cacheWrite,
        })),
      ),
    ),
  )
}

/** The built-in price table. */
export const defaultPrices: readonly PriceRow[] = Object.freeze(groups.flatMap(expand))
