/**
 * `ExportTraceServiceRequest` in protobuf's binary form. Written by hand: of the wire format it takes varints, fixed
 * numbers and length-delimited fields, and of the messages those below, by their field numbers:
 *
 *   ExportTraceServiceRequest  resource_spans 1
 *   ResourceSpans              resource 1 · scope_spans 2          Resource  attributes 1
 *   ScopeSpans                 scope 1 · spans 2                   InstrumentationScope  name 1 · version 2
 *   Span                       trace_id 1 · span_id 2 · trace_state 3 · parent_span_id 4 · name 5 · kind 6 ·
 *                              start_time_unix_nano 7 · end_time_unix_nano 8 · attributes 9 · events 11 · status 15 · flags 16
 *   Event                      time_unix_nano 1 · name 2           Status  code 3
 *   KeyValue                   key 1 · value 2                     ArrayValue  values 1
 *   AnyValue                   string 1 · bool 2 · int 3 · double 4 · array 5
 */
import {
  type Attributes,
  type AttributeValue,
  isWhole,
  type OtlpResource,
  type OtlpSpan,
  scope,
} from './otlp-span.ts'

const wireVarint = 0
const wireFixed64 = 1
const wireBytes = 2
const wireFixed32 = 5

/** A message that grows; nested ones are written by a writer of their own and copied in with their length. */
class MessageWriter {
  #bytes = Buffer.allocUnsafe(256)
  #length = 0

  /** A view that holds until the next field. */
  get message(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): this {
    this.#length = 0
    return this
  }

  varint(field: number, value: number): void {
    this.#tag(field, wireVarint)
    this.#varint(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value)
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, wireFixed32)
    this.#room(4)
    this.#length = this.#bytes.writeUInt32LE(value, this.#length)
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, wireFixed64)
    this.#room(8)
    this.#length = this.#bytes.writeBigUInt64LE(value, this.#length)
  }

  double(field: number, value: number): void {
    this.#tag(field, wireFixed64)
    this.#room(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  text(field: number, value: string): void {
    const bytes = Buffer.byteLength(value)
    this.#tag(field, wireBytes)
    this.#varint(bytes)
    this.#room(bytes)
    this.#length += this.#bytes.write(value, this.#length)
  }

  /** `hex`: an id. */
  id(field: number, hex: string): void {
    const bytes = hex.length / 2
    this.#tag(field, wireBytes)
    this.#varint(bytes)
    this.#room(bytes)
    this.#length += this.#bytes.write(hex, this.#length, 'hex')
  }

  nested(field: number, message: Buffer): void {
    this.#tag(field, wireBytes)
    this.#varint(message.length)
    this.#room(message.length)
    this.#length += message.copy(this.#bytes, this.#length)
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire)
  }

  #varint(value: number | bigint): void {
    this.#room(10)
    let rest = value
    if (typeof rest === 'number') {
      while (rest >= 0x80) {
        this.#bytes[this.#length++] = (rest % 0x80) | 0x80
        rest = Math.floor(rest / 0x80)
      }
      this.#bytes[this.#length++] = rest
      return
    }
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

/** One writer for each depth of nesting, used again and again: the encoder runs to its end at once. */
const writers = {
  request: new MessageWriter(),
  resourceSpans: new MessageWriter(),
  scopeSpans: new MessageWriter(),
  span: new MessageWriter(),
  keyValue: new MessageWriter(),
  value: new MessageWriter(),
  array: new MessageWriter(),
  item: new MessageWriter(),
}

export function encodeOtlpProtobuf(resource: OtlpResource, spans: readonly OtlpSpan[]): Buffer {
  const { request, resourceSpans, scopeSpans } = writers
  resourceSpans.clear()
  const described = writers.span.clear()
  writeAttributes(described, 1, resource.attributes)
  resourceSpans.nested(1, described.message)
  scopeSpans.clear()
  const named = writers.value.clear()
  named.text(1, scope.name)
  named.text(2, scope.version)
  scopeSpans.nested(1, named.message)
  for (const span of spans) scopeSpans.nested(2, writeSpan(span))
  resourceSpans.nested(2, scopeSpans.message)
  request.clear().nested(1, resourceSpans.message)
  return Buffer.from(request.message)
}

function writeSpan(span: OtlpSpan): Buffer {
  const writer = writers.span.clear()
  writer.id(1, span.traceId)
  writer.id(2, span.spanId)
  if (span.state !== '') writer.text(3, span.state)
  if (span.parentSpanId !== '') writer.id(4, span.parentSpanId)
  writer.text(5, span.name)
  writer.varint(6, span.kind)
  writer.fixed64(7, nanosOf(span.startUs))
  writer.fixed64(8, nanosOf(span.endUs))
  writeAttributes(writer, 9, span.attributes)
  for (const { name, timeUs } of span.events) {
    const event = writers.keyValue.clear()
    event.fixed64(1, nanosOf(timeUs))
    event.text(2, name)
    writer.nested(11, event.message)
  }
  if (span.statusCode !== 0) {
    const status = writers.keyValue.clear()
    status.varint(3, span.statusCode)
    writer.nested(15, status.message)
  }
  writer.fixed32(16, span.flags)
  return writer.message
}

const nanosOf = (us: number): bigint => BigInt(us) * 1000n

function writeAttributes(writer: MessageWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of attributes) {
    const pair = writers.keyValue.clear()
    pair.text(1, key)
    pair.nested(2, writeValue(value))
    writer.nested(field, pair.message)
  }
}

function writeValue(value: AttributeValue): Buffer {
  const writer = writers.value.clear()
  if (typeof value === 'string') writer.text(1, value)
  else if (typeof value === 'boolean') writer.varint(2, value ? 1 : 0)
  else if (typeof value !== 'number') writer.nested(5, writeArray(value))
  else if (isWhole(value)) writer.varint(3, value)
  else writer.double(4, value)
  return writer.message
}

function writeArray(values: readonly string[]): Buffer {
  const array = writers.array.clear()
  for (const value of values) {
    const item = writers.item.clear()
    item.text(1, value)
    array.nested(1, item.message)
  }
  return array.message
}
