/**
 * A traced exchange as spans: one SERVER span (semantic conventions for HTTP) with one CLIENT span (for GenAI, v1.41) for
 * each call of a provider. What we say beyond the conventions stands under `gatewright.`.
 */
import { callerText } from '../domain/plain-text.ts'
import { genAiOperation, genAiProvider } from '../telemetry/index.ts'
import { type AttributeValue, type OtlpSpan, spanKinds, statusCodes } from './otlp-span.ts'
import type { TracedCall, TraceRecord } from './trace-record.ts'

/** `SpanFlags`: sampled; and, with a parent, that it is known whether it is remote, and that it is. */
const flagSampled = 0x01
const flagKnowsRemote = 0x100
const flagIsRemote = 0x200

export function spansOfRecord(record: TraceRecord): readonly OtlpSpan[] {
  return [serverSpan(record), ...record.calls.map((call) => clientSpan(record, call))]
}

function serverSpan(record: TraceRecord): OtlpSpan {
  const { traceId, spanId, parentSpanId, state, time, durationMs } = record
  const remote = parentSpanId === '' ? 0 : flagKnowsRemote | flagIsRemote
  return {
    traceId,
    spanId,
    parentSpanId,
    state,
    flags: flagSampled | remote,
    name: `${record.method} ${record.route}`,
    kind: spanKinds.server,
    startUs: microseconds(time),
    endUs: microseconds(time + durationMs),
    attributes: serverAttributes(record),
    events: record.stages.map(([name, start]) => ({
      name: `gatewright.stage.${name}`,
      timeUs: microseconds(time + start),
    })),
    // Of a server span, what was the caller's own mistake is no error.
    statusCode: isFailed(record) ? statusCodes.error : statusCodes.unset,
  }
}

/** It ended with a status 5xx, or broke off after it had begun well. What was the caller's mistake is no failure. */
export function isFailed({
  outcome,
  status,
}: {
  readonly outcome: string
  readonly status: number
}): boolean {
  return status >= 500 || (outcome === 'failed' && status < 400)
}

function serverAttributes(record: TraceRecord): OtlpSpan['attributes'] {
  const list = new AttributeList()
  list.add('http.request.method', record.method)
  list.add('http.route', record.route)
  list.add('url.scheme', record.scheme)
  list.add('network.protocol.name', 'http')
  list.add('network.protocol.version', record.httpVersion)
  if (record.status !== 0) list.add('http.response.status_code', record.status)
  list.add('http.request.body.size', record.requestBytes)
  list.add('http.response.body.size', record.responseBytes)
  const failure = record.fault === '' && isFailed(record) ? String(record.status) : record.fault
  if (isFailed(record)) list.add('error.type', failure)
  list.add('gatewright.request.id', record.requestId)
  list.add('gatewright.operation', record.operation)
  list.add('gatewright.outcome', record.outcome)
  list.add('gatewright.fault', record.fault)
  list.add('gatewright.route', record.model)
  list.add('gatewright.organization.id', record.organizationId)
  list.add('gatewright.application.id', record.applicationId)
  list.add('gatewright.key.id', record.keyId)
  list.add('gatewright.cache', record.cacheStatus)
  list.add('gatewright.attempts', record.calls.length)
  if (record.costMicroUsd !== null) list.add('gatewright.cost.usd', record.costMicroUsd / 1e6)
  if (record.firstByteMs !== null) list.add('gatewright.time_to_first_byte', record.firstByteMs / 1000)
  list.add('gatewright.content.reference', record.contentReference)
  return list.attributes
}

function clientSpan(record: TraceRecord, call: TracedCall): OtlpSpan {
  const { traceId, spanId, state, time } = record
  const operation = genAiOperation(record.operation)
  return {
    traceId,
    spanId: call.spanId,
    parentSpanId: spanId,
    state,
    flags: flagSampled | flagKnowsRemote,
    name: call.model === '' ? operation : `${operation} ${callerText(call.model)}`,
    kind: spanKinds.client,
    startUs: microseconds(time + call.start),
    endUs: microseconds(time + call.end),
    attributes: clientAttributes(record, call),
    events: [],
    statusCode: isFailedCall(call) ? statusCodes.error : statusCodes.unset,
  }
}

/** A call that was given up (another answered first, or the caller left) did not fail. */
function isFailedCall({ outcome }: TracedCall): boolean {
  return outcome !== 'ok' && outcome !== 'abandoned'
}

function clientAttributes(record: TraceRecord, call: TracedCall): OtlpSpan['attributes'] {
  const list = new AttributeList()
  list.add('gen_ai.operation.name', genAiOperation(record.operation))
  list.add('gen_ai.provider.name', genAiProvider(call.provider))
  list.add('gen_ai.request.model', callerText(call.model))
  list.add('gen_ai.response.model', callerText(call.responseModel))
  if (record.streamed) list.add('gen_ai.request.stream', true)
  if (call.finishReason !== '') list.add('gen_ai.response.finish_reasons', [call.finishReason])
  if (call.firstChunk !== null)
    list.add('gen_ai.response.time_to_first_chunk', (call.firstChunk - call.start) / 1000)
  list.add('server.address', call.host)
  list.add('server.port', call.port)
  if (call.status !== 0) list.add('http.response.status_code', call.status)
  if (isFailedCall(call)) list.add('error.type', call.outcome)
  list.add('gatewright.deployment', call.deployment)
  list.add('gatewright.attempt.outcome', call.outcome)
  if (call.answered && record.usage !== null) addUsage(list, record.usage)
  return list.attributes
}

function addUsage(list: AttributeList, usage: NonNullable<TraceRecord['usage']>): void {
  list.add('gen_ai.usage.input_tokens', usage.inputTokens)
  list.add('gen_ai.usage.output_tokens', usage.outputTokens)
  if (usage.cachedInputTokens > 0) list.add('gen_ai.usage.cache_read.input_tokens', usage.cachedInputTokens)
  if (usage.cacheWriteTokens > 0) list.add('gen_ai.usage.cache_creation.input_tokens', usage.cacheWriteTokens)
  if (usage.reasoningTokens > 0) list.add('gen_ai.usage.reasoning.output_tokens', usage.reasoningTokens)
  if (usage.estimated) list.add('gatewright.usage.estimated', true)
}

class AttributeList {
  readonly attributes: [string, AttributeValue][] = []

  /** An empty text says the same as no attribute. */
  add(key: string, value: AttributeValue): void {
    if (value !== '') this.attributes.push([key, value])
  }
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000)
}
