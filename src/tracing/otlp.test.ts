/** Both encodings against a reader that knows only the published .proto files. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTraceRequest } from '../../test/fixtures/otlp/read-protobuf.ts'
import { sampleCall, sampleRecord } from './harness/sample-record.ts'
import { rejectedSpans } from './otlp-answer.ts'
import { encodeOtlpJson } from './otlp-json.ts'
import { encodeOtlpProtobuf } from './otlp-protobuf.ts'
import { spansOfRecord } from './spans-of-record.ts'

const resource = { attributes: [['service.name', 'gatewright – ü']] as const }
const samples = [
  sampleRecord(),
  sampleRecord({
    parentSpanId: '00f067aa0ba902b7',
    state: 'foo=1',
    calls: [],
    costMicroUsd: null,
    usage: null,
  }),
  sampleRecord({
    outcome: 'failed',
    status: 502,
    fault: 'upstream.error',
    requestBytes: -1,
    responseBytes: 2 ** 40,
  }),
  sampleRecord({
    model: 'x'.repeat(5000),
    calls: Array.from({ length: 40 }, () => sampleCall({ outcome: 'refused', status: 400 })),
  }),
]

test('protobuf says the same as JSON, to the last field', () => {
  const spans = samples.flatMap(spansOfRecord)
  const json = JSON.parse(encodeOtlpJson(resource, spans).toString('utf8')) as object
  const read = JSON.parse(JSON.stringify(readTraceRequest(encodeOtlpProtobuf(resource, spans)))) as object
  // An empty status is no field in protobuf.
  const text = JSON.stringify(json).replaceAll(',"status":{}', '')
  assert.deepEqual(sorted(read), sorted(JSON.parse(text)))
})

test('a message that was written before leaves nothing in the next one', () => {
  const [one = sampleRecord(), other = sampleRecord()] = samples
  const alone = encodeOtlpProtobuf(resource, spansOfRecord(one))
  encodeOtlpProtobuf(resource, spansOfRecord(other))
  assert.deepEqual(encodeOtlpProtobuf(resource, spansOfRecord(one)), alone)
})

test('what a receiver rejects is read in either encoding, and nonsense is nothing', () => {
  assert.equal(rejectedSpans(Buffer.from('{"partialSuccess":{"rejectedSpans":"7","errorMessage":"x"}}')), 7)
  assert.equal(rejectedSpans(Buffer.from('{"partialSuccess":{}}')), 0)
  // partial_success { rejected_spans: 300, error_message: "x" }
  assert.equal(rejectedSpans(Buffer.from('0a0608ac02120178', 'hex')), 300)
  for (const hex of ['', '0a', '0aff', 'ffffffffffffffffffffff', '7b', '0d00000000', '0a0108'])
    assert.equal(rejectedSpans(Buffer.from(hex, 'hex')), 0, hex)
})

test('spans follow the conventions: names, kinds, parents, errors', () => {
  const [server, client] = spansOfRecord(sampleRecord({ parentSpanId: '00f067aa0ba902b7', state: 'foo=1' }))
  assert.ok(server && client)
  assert.deepEqual(
    [server.name, server.kind, server.parentSpanId, server.flags],
    ['POST /v1/chat/completions', 2, '00f067aa0ba902b7', 0x301],
  )
  assert.deepEqual(
    [client.name, client.kind, client.parentSpanId, client.flags],
    ['chat model-2', 3, server.spanId, 0x101],
  )
  assert.deepEqual([server.statusCode, client.statusCode], [0, 0])
  const told = Object.fromEntries(client.attributes)
  assert.deepEqual(
    [
      told['gen_ai.provider.name'],
      told['gen_ai.usage.cache_read.input_tokens'],
      told['gen_ai.usage.reasoning.output_tokens'],
      told['gen_ai.response.finish_reasons'],
    ],
    ['gcp.gemini', 10, 5, ['stop']],
  )
  assert.equal(told['gen_ai.response.time_to_first_chunk'], 0.0385)
  assert.deepEqual([server.startUs, server.endUs], [1_800_000_000_123_000, 1_800_000_000_204_125])
})

test("a caller's mistake is no error of the server span; a failed call is one of its own span alone", () => {
  const refused = spansOfRecord(
    sampleRecord({ outcome: 'refused', status: 403, fault: 'access.model-not-found', calls: [] }),
  )
  assert.equal(refused[0]?.statusCode, 0)
  const calls = [
    sampleCall({ outcome: 'busy', status: 429, answered: false }),
    sampleCall(),
    sampleCall({ outcome: 'abandoned', answered: false }),
  ]
  const spans = spansOfRecord(sampleRecord({ calls }))
  assert.deepEqual(
    spans.map(({ statusCode }) => statusCode),
    [0, 2, 0, 0],
  )
  const usages = spans.map(({ attributes }) => Object.fromEntries(attributes)['gen_ai.usage.input_tokens'])
  assert.deepEqual(usages, [undefined, undefined, 30, undefined])
  const failed = spansOfRecord(sampleRecord({ outcome: 'failed', status: 502, fault: 'upstream.error' }))
  assert.equal(failed[0]?.statusCode, 2)
  assert.equal(Object.fromEntries(failed[0]?.attributes ?? [])['error.type'], 'upstream.error')
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
