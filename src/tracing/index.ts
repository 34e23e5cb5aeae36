/**
 * Tracing: what became of an exchange, as OpenTelemetry spans. Workers note figures and names and send them on; the
 * control plane decides which are kept, makes spans of them and sends those by OTLP/HTTP.
 *
 *   worker: exchange ends ──▶ record ──▶ outbox ══▶ control plane: tail sampler ──▶ spans ──▶ exporter ──▶ receiver
 */
export {
  type ExportAnswer,
  type ExportRequest,
  type ExportResult,
  type ExportSettings,
  OtlpExporter,
} from './otlp-exporter.ts'
export type { Attributes } from './otlp-span.ts'
export { isFailed, spansOfRecord } from './spans-of-record.ts'
export { type TailRules, TailSampler } from './tail-sampler.ts'
export { readTraceContext, type TraceContext, writeTraceparent } from './trace-context.ts'
export { createTraceIds, isWithinRatio, type TraceIds } from './trace-ids.ts'
export { createTraceOutbox, type TraceBatch } from './trace-outbox.ts'
export type { TracedCall, TraceRecord } from './trace-record.ts'
