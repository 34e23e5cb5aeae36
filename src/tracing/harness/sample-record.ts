/** A traced exchange for tests: answered at the second call. */
import type { TracedCall, TraceRecord } from '../trace-record.ts'

export function sampleCall(own: Partial<TracedCall> = {}): TracedCall {
  return {
    spanId: '00000000000000c1',
    start: 1.5,
    end: 80.25,
    firstChunk: 40,
    provider: 'gemini',
    deployment: 'second',
    host: 'api.example',
    port: 443,
    model: 'model-2',
    responseModel: 'model-2-0101',
    finishReason: 'stop',
    status: 200,
    outcome: 'ok',
    answered: true,
    ...own,
  }
}

export function sampleRecord(own: Partial<TraceRecord> = {}): TraceRecord {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '',
    state: '',
    requestId: 'req_1',
    time: 1_800_000_000_123,
    durationMs: 81.125,
    method: 'POST',
    route: '/v1/chat/completions',
    scheme: 'https',
    httpVersion: '1.1',
    operation: 'chat.completions',
    model: 'gpt',
    modelLabel: 'gpt',
    status: 200,
    fault: '',
    outcome: 'completed',
    streamed: true,
    firstByteMs: 41,
    organizationId: 'org_a',
    applicationId: 'app_a',
    keyId: 'key_a',
    cacheStatus: '',
    requestBytes: 100,
    responseBytes: 2000,
    usage: {
      inputTokens: 30,
      outputTokens: 20,
      cachedInputTokens: 10,
      cacheWriteTokens: 0,
      reasoningTokens: 5,
      estimated: false,
    },
    costMicroUsd: 1500,
    contentReference: '',
    stages: [['authenticate', 0.25]],
    calls: [sampleCall()],
    ...own,
  }
}
