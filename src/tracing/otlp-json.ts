/**
 * `ExportTraceServiceRequest` in OTLP's JSON: names in camelCase, ids in hexadecimal, 64-bit integers as text, enums as
 * numbers (OTLP 1.x, "JSON Protobuf Encoding").
 */
import {
  type Attributes,
  type AttributeValue,
  isWhole,
  type OtlpResource,
  type OtlpSpan,
  scope,
} from './otlp-span.ts'

export function encodeOtlpJson(resource: OtlpResource, spans: readonly OtlpSpan[]): Buffer {
  const request = {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource.attributes) },
        scopeSpans: [{ scope, spans: spans.map(spanOf) }],
      },
    ],
  }
  return Buffer.from(JSON.stringify(request))
}

function spanOf(span: OtlpSpan): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.state === '' ? {} : { traceState: span.state }),
    ...(span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
    flags: span.flags,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanosOf(span.startUs),
    endTimeUnixNano: nanosOf(span.endUs),
    attributes: attributesOf(span.attributes),
    ...(span.events.length === 0
      ? {}
      : { events: span.events.map(({ name, timeUs }) => ({ timeUnixNano: nanosOf(timeUs), name })) }),
    status: span.statusCode === 0 ? {} : { code: span.statusCode },
  }
}

const nanosOf = (us: number): string => `${us}000`

function attributesOf(attributes: Attributes): object[] {
  return attributes.map(([key, value]) => ({ key, value: anyValueOf(value) }))
}

function anyValueOf(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return isWhole(value) ? { intValue: String(value) } : { doubleValue: value }
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } }
}
