/** Usage records for tests and benchmarks. */
import type { UsageRecord } from '../domain/usage.ts'

export const sampleTime = 1_700_000_000_000

export function sampleRecord(number: number, changes: Partial<UsageRecord> = {}): UsageRecord {
  return {
    id: `req_abcdefghijkl${String(number).padStart(6, '0')}`,
    time: sampleTime + number,
    organizationId: 'org_0123456789abcdefghijkl',
    applicationId: 'app_0123456789abcdefghijkl',
    keyId: 'keyid0123456',
    productId: 'prd_0123456789abcdefghijkl',
    operation: 'openai.chat.completions',
    dialect: 'openai-chat',
    model: 'gpt-4o',
    servedModel: 'gpt-4o-2024-08-06',
    deploymentId: 'dep_0123456789abcdefghijkl',
    providerId: 'openai',
    status: 200,
    fault: '',
    outcome: 'completed',
    streamed: false,
    attempts: 1,
    inputTokens: 1200,
    outputTokens: 300,
    cachedInputTokens: 100,
    cacheWriteTokens: 0,
    reasoningTokens: 20,
    estimated: false,
    costMicroUsd: 4500,
    requestBytes: 4096,
    responseBytes: 2048,
    durationMs: 812.25,
    firstByteMs: 300.125,
    overheadMs: 0.75,
    endUser: 'user-1',
    tags: { team: 'search' },
    ...changes,
  }
}

export function sampleLines(records: readonly UsageRecord[]): Buffer {
  return Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}
