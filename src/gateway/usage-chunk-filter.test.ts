import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createUsageChunkFilter } from './usage-chunk-filter.ts'

function filter(text: string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(text)
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  const usage = createUsageChunkFilter()
  const out: Buffer[] = []
  let from = 0
  for (const place of [...places, bytes.length]) {
    out.push(Buffer.from(usage.push(Buffer.from(bytes.subarray(from, place)))))
    from = place
  }
  out.push(usage.finish())
  return Buffer.concat(out).toString()
}

const figures = '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
const token = (text: string): string =>
  `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}}}],"usage":null}`
const usageOnly = `data: {"id":"x","choices":[],${figures}}`
const done = 'data: [DONE]'
const stream = (end: string, ...events: string[]): string => events.map((event) => `${event}${end}`).join('')

test('the chunk that holds figures alone is hidden, everything else passes byte for byte', () => {
  assert.equal(filter(stream('\n\n', token('a'), usageOnly, done)), stream('\n\n', token('a'), done))
})

test('servers that end their lines with CRLF or CR are understood, without waiting for the end', () => {
  for (const end of ['\r\n\r\n', '\r\r']) {
    assert.equal(filter(stream(end, token('a'), usageOnly, done)), stream(end, token('a'), done))
    const usage = createUsageChunkFilter()
    assert.equal(usage.push(Buffer.from(stream(end, token('a')))).toString(), stream(end, token('a')))
  }
})

test('white space within the JSON changes nothing', () => {
  const spaced = `data: {"choices" : [ ], "usage": {"prompt_tokens": 1}}`
  assert.equal(filter(stream('\n\n', token('a'), spaced, done)), stream('\n\n', token('a'), done))
})

test('figures beside a choice, an empty chunk without figures, and comments all pass', () => {
  const kept = [
    `data: {"choices":[{"delta":{}}],${figures}}`,
    'data: {"choices":[],"prompt_filter_results":[]}',
    'data: {"choices":[],"usage":null}',
    ': comment',
    token('"choices":[] and "usage":{} in a text'),
    'data: {broken "choices":[]',
  ]
  assert.equal(filter(stream('\n\n', ...kept)), stream('\n\n', ...kept))
})

test('what stands behind the last event passes at the end, unless it is the figures', () => {
  assert.equal(filter(`${stream('\n\n', token('a'))}${done}`), `${stream('\n\n', token('a'))}${done}`)
  assert.equal(filter(`${stream('\n\n', token('a'))}${usageOnly}`), stream('\n\n', token('a')))
})

test('an event that never ends is let through once it passes the bound, so memory is bounded', () => {
  const usage = createUsageChunkFilter()
  let passed = 0
  for (let i = 0; i < 40; i += 1) passed += usage.push(Buffer.alloc(65_536, 'x')).length
  assert.ok(passed >= 40 * 65_536 - 1_048_576 - 65_536, `${passed} bytes`)
})

test('property: however the bytes are cut, the same bytes come out', () => {
  const event = fc.oneof(
    fc.string({ maxLength: 20 }).map(token),
    fc.constant(usageOnly),
    fc.constant(': comment'),
    fc.constant(`event: x\n${token('y')}`),
  )
  const ends = fc.constantFrom('\n\n', '\r\n\r\n', '\r\r')
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 12 }),
      ends,
      fc.array(fc.nat(), { maxLength: 30 }),
      (events, end, cuts) => {
        const lines = events.map((each) =>
          end === '\n\n' ? each : each.replace('\n', end === '\r\r' ? '\r' : '\r\n'),
        )
        const kept = lines.filter((each) => each !== usageOnly)
        assert.equal(filter(stream(end, ...lines), cuts), stream(end, ...kept))
      },
    ),
    { numRuns: 300 },
  )
})
