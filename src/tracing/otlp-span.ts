/** Spans as OTLP has them (opentelemetry/proto/trace/v1/trace.proto), before they are written as JSON or protobuf. */

export type AttributeValue = string | number | boolean | readonly string[]
export type Attributes = readonly (readonly [key: string, value: AttributeValue])[]

/** Values of `Span.SpanKind`. */
export const spanKinds = Object.freeze({ server: 2, client: 3 })
/** Values of `Status.StatusCode`. */
export const statusCodes = Object.freeze({ unset: 0, error: 2 })

export interface SpanEvent {
  readonly name: string
  /** Unix microseconds. */
  readonly timeUs: number
}

export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty: none. */
  readonly parentSpanId: string
  readonly state: string
  /** `SpanFlags`: trace flags, and whether the parent is known to be remote. */
  readonly flags: number
  readonly name: string
  readonly kind: number
  /** Unix microseconds: whole numbers that a double holds exactly. */
  readonly startUs: number
  readonly endUs: number
  readonly attributes: Attributes
  readonly events: readonly SpanEvent[]
  readonly statusCode: number
}

/** Who the spans are of. */
export interface OtlpResource {
  readonly attributes: Attributes
}

export const scope = Object.freeze({ name: 'gatewright', version: '1' })

/** A whole number goes as an integer. */
export function isWhole(value: number): boolean {
  return Number.isSafeInteger(value)
}
