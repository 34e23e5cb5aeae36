import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { sampleRecord } from './harness/sample-record.ts'
import { type ExportAnswer, type ExportRequest, type ExportSettings, OtlpExporter } from './otlp-exporter.ts'
import { spansOfRecord } from './spans-of-record.ts'

const json: ExportSettings = { protocol: 'http/json', compression: 'none', resource: { attributes: [] } }
const taken: ExportAnswer = { status: 200, retryAfterMs: null, body: Buffer.from('{}') }
const answer = (status: number, retryAfterMs: number | null = null): ExportAnswer => ({
  status,
  retryAfterMs,
  body: Buffer.alloc(0),
})
/** Two spans. */
const spans = spansOfRecord(sampleRecord())

function open(
  answers: readonly ExportAnswer[],
  own: { settings?: ExportSettings | null; maxQueued?: number } = {},
) {
  const posted: { readonly request: ExportRequest; readonly at: number }[] = []
  const logged: string[] = []
  const exporter = new OtlpExporter({
    settings: () => (own.settings === undefined ? json : own.settings),
    post(request) {
      posted.push({ request, at: performance.now() })
      return Promise.resolve(answers[posted.length - 1] ?? taken)
    },
    random: () => 0.5,
    log: (text) => logged.push(text),
    bounds: {
      flushMs: 5,
      batchSpans: 4,
      firstPauseMs: 4,
      maxPauseMs: 200,
      maxAttempts: 3,
      maxQueued: own.maxQueued ?? 100,
    },
  })
  return { exporter, posted, logged }
}

/** Waits for as long as a busy machine takes. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition() && turn < 2000; turn += 1) await sleep(5)
}

const spansIn = ({ request }: { readonly request: ExportRequest }): number =>
  (request.body.toString('utf8').match(/"spanId"/g) ?? []).length

test('spans go in batches, a full one at once and the rest after a moment', async () => {
  const { exporter, posted } = open([])
  for (let turn = 0; turn < 3; turn += 1) exporter.add(spans)
  await exporter.close(1000)
  assert.deepEqual(posted.map(spansIn), [4, 2])
  assert.equal(exporter.counts.exported, 6)
})

test('429, 502, 503, 504 and no answer are tried again, the same spans; what Retry-After says is kept to', async () => {
  for (const status of [429, 502, 503, 504]) {
    const { exporter, posted } = open([answer(status), 'connect'])
    exporter.add(spans)
    await until(() => exporter.counts.exported + exporter.counts.failed > 0)
    assert.equal(posted.length, 3)
    assert.deepEqual(posted[2]?.request.body, posted[0]?.request.body)
    assert.deepEqual([exporter.counts.exported, exporter.counts.failed], [2, 0])
  }
  const { exporter, posted } = open([answer(429, 120)])
  exporter.add(spans)
  await until(() => posted.length === 2)
  const [first, second] = posted
  assert.ok(first && second && second.at - first.at >= 115, 'came back too early')
  await exporter.close(100)
})

test('any other refusal is final, and so is the last attempt; both are counted and told once', async () => {
  for (const status of [400, 401, 413, 500]) {
    const { exporter, posted, logged } = open([answer(status)])
    exporter.add(spans)
    await until(() => exporter.counts.failed > 0)
    assert.deepEqual([posted.length, exporter.counts.failed, logged.length], [1, 2, 1], String(status))
  }
  const { exporter, posted } = open(Array.from({ length: 9 }, () => answer(503)))
  exporter.add(spans)
  await until(() => exporter.counts.failed > 0)
  assert.deepEqual([posted.length, exporter.counts.failed], [3, 2])
})

test('what a receiver takes in part is not sent again, and counted', async () => {
  const partial = Buffer.from('{"partialSuccess":{"rejectedSpans":"1"}}')
  const { exporter, posted } = open([{ status: 200, retryAfterMs: null, body: partial }])
  exporter.add(spans)
  await exporter.close(1000)
  assert.deepEqual([posted.length, exporter.counts.exported, exporter.counts.rejected], [1, 1, 1])
})

test('what finds no room is dropped and counted, and nothing waits', async () => {
  const { exporter } = open([answer(503, 200)], { maxQueued: 4 })
  exporter.add(spans)
  await sleep(30)
  for (let turn = 0; turn < 10; turn += 1) exporter.add(spans)
  assert.deepEqual([exporter.queued, exporter.counts.overflow], [4, 16])
  const started = performance.now()
  await exporter.close(50)
  assert.ok(performance.now() - started < 150)
})

test('bodies are packed where the settings say so', async () => {
  const { exporter, posted } = open([], {
    settings: { ...json, compression: 'gzip', protocol: 'http/protobuf' },
  })
  exporter.add(spans)
  await exporter.close(1000)
  const { headers, body } = posted[0]?.request ?? { headers: [], body: Buffer.alloc(0) }
  assert.deepEqual(headers, ['content-type', 'application/x-protobuf', 'content-encoding', 'gzip'])
  assert.ok(gunzipSync(body).includes('POST /v1/chat/completions'))
})

test('without a receiver nothing is sent', async () => {
  const { exporter, posted } = open([], { settings: null })
  exporter.add(spans)
  await exporter.close(1000)
  assert.deepEqual([posted.length, exporter.counts.failed], [0, 2])
})
