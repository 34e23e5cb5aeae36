/**
 * Names of the OpenTelemetry semantic conventions for GenAI (v1.41.1, development status): what their attributes call
 * our operations and providers, and the metrics that show ours under those names.
 */
import type { Metric } from './metric.ts'
import { type MetricFamily, SeriesSet } from './metric-family.ts'
import { metrics } from './metric-table.ts'

const operationNames: ReadonlyMap<string, string> = new Map([
  ['chat.completions', 'chat'],
  ['responses.create', 'chat'],
  ['messages.create', 'chat'],
  ['gemini.generate', 'generate_content'],
  ['gemini.stream', 'generate_content'],
  ['completions', 'text_completion'],
  ['embeddings', 'embeddings'],
])

/** Well-known value of `gen_ai.operation.name`; our own name where there is none. */
export function genAiOperation(operationId: string): string {
  return operationNames.get(operationId) ?? operationId
}

const providerNames: ReadonlyMap<string, string> = new Map([
  ['azure-openai', 'azure.ai.openai'],
  ['azure-openai-deployments', 'azure.ai.openai'],
  ['bedrock', 'aws.bedrock'],
  ['gemini', 'gcp.gemini'],
  ['vertex', 'gcp.vertex_ai'],
  ['vertex-global', 'gcp.vertex_ai'],
  ['mistral', 'mistral_ai'],
  ['xai', 'x_ai'],
])

/** Well-known value of `gen_ai.provider.name`; our own name where there is none. */
export function genAiProvider(providerId: string): string {
  return providerNames.get(providerId) ?? providerId
}

type Mapping = (values: readonly string[]) => readonly string[]

const callOf: Mapping = ([operation = '', model = '', provider = '']) => [
  genAiOperation(operation),
  genAiProvider(provider),
  model,
]
const views: readonly { readonly metric: Metric; readonly of: Metric; readonly map: Mapping }[] = [
  {
    metric: metrics.callDuration,
    of: metrics.upstreamDuration,
    // An empty label is one that is not there: calls that went well have no error.
    map: (values) => [...callOf(values), values[3] === 'ok' ? '' : (values[3] ?? '')],
  },
  { metric: metrics.callFirstChunk, of: metrics.upstreamFirstChunk, map: callOf },
  { metric: metrics.serverFirstToken, of: metrics.firstToken, map: callOf },
]

/** The families, and those of them that have a second name. */
export function withViews(families: readonly MetricFamily[]): readonly MetricFamily[] {
  const shown = views.flatMap(({ metric, of, map }) => {
    const family = families.find((each) => each.metric === of)
    if (family === undefined) return []
    // As many as the other has: what is together there is together here.
    const set = new SeriesSet({ ...metric, maxSeries: of.maxSeries })
    for (const { values, cells } of family.series) set.add(map(values), cells)
    return [{ metric, series: set.family.series }]
  })
  return [...families, ...shown]
}
