/** A little usage in the store: one request three hours, three requests one hour before the test clock's noon. */
import type { UsageRecord } from '../../domain/usage.ts'
import { latencyBoundsMs, type UsageRollup } from '../../ports/usage-store.ts'
import { type StartedAdmin, startedAt } from './start-admin.ts'

const hour = 3_600_000

function bucketOf(duration: number): number {
  const index = latencyBoundsMs.findIndex((bound) => duration <= bound)
  return index < 0 ? latencyBoundsMs.length : index
}

function rollup(organizationId: string, minute: number, durations: readonly number[]): UsageRollup {
  const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0)
  for (const duration of durations) latency[bucketOf(duration)] = (latency[bucketOf(duration)] ?? 0) + 1
  const requests = durations.length
  return {
    minute,
    dimensions: {
      organizationId,
      applicationId: 'app_1',
      keyId: 'k1',
      operation: 'chat.completions',
      model: 'gpt',
      servedModel: '=gpt, "5"',
      providerId: 'openai',
      deploymentId: 'dep_1',
      productId: 'prd_1',
      statusClass: 2,
    },
    sums: {
      requests,
      errors: 0,
      inputTokens: requests * 100,
      outputTokens: requests * 10,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      estimated: 0,
      unpriced: 0,
      costMicroUsd: requests === 1 ? 1000 : requests * 500,
      durationMs: durations.reduce((sum, duration) => sum + duration, 0),
    },
    latency,
  }
}

export async function recordUsage(admin: StartedAdmin, organizationId: string): Promise<void> {
  await admin.storage.usage.apply({
    cursorName: 'test',
    expected: null,
    cursor: '1',
    rollups: [
      rollup(organizationId, startedAt - 3 * hour, [150]),
      rollup(organizationId, startedAt - hour, [50, 50, 50]),
    ],
  })
}

export function sampleUsageRecord(fields: Partial<UsageRecord>): UsageRecord {
  return {
    id: 'req_1',
    time: startedAt,
    organizationId: 'org_1',
    applicationId: 'app_1',
    keyId: 'k1',
    productId: 'prd_1',
    operation: 'chat.completions',
    dialect: 'openai-chat',
    model: 'gpt',
    servedModel: 'gpt-5',
    deploymentId: 'dep_1',
    providerId: 'openai',
    status: 200,
    fault: '',
    outcome: 'completed',
    streamed: false,
    attempts: 1,
    inputTokens: 100,
    outputTokens: 10,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    estimated: false,
    costMicroUsd: 500,
    requestBytes: 200,
    responseBytes: 300,
    durationMs: 50,
    firstByteMs: 40,
    overheadMs: 1,
    endUser: '',
    tags: {},
    ...fields,
  }
}
