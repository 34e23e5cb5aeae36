import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rigForTests } from '../gateway/harness/gateway-rig.ts'
import { createLog, formatLogEntry, type LogEntry } from './log.ts'

const time = Date.UTC(2026, 10, 23, 8)
const entry: LogEntry = { level: 'warn', code: 'upstream.broken', text: 'reset', requestId: 'req_1' }

test('an entry is one line of JSON with time, level, code, request id and text', () => {
  assert.equal(
    formatLogEntry(entry, time),
    '{"time":"2026-11-23T08:00:00.000Z","level":"warn","code":"upstream.broken","requestId":"req_1","text":"reset"}\n',
  )
})

test('fields that are not known stay out', () => {
  const more = { ...entry, authorization: 'Bearer secret', body: 'content' }
  assert.doesNotMatch(formatLogEntry(more, time), /secret|content|authorization|body/)
})

test('property: whatever the fields hold, one line of printable ASCII comes out, and its text is intact', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\r\n{"level":"info"}',
      '\u001b[2J',
      '\u2028',
      '\u202e',
      '\u009b31m',
      '\ud800',
      '"',
      '\\',
    ),
  )
  fc.assert(
    fc.property(nasty, nasty, nasty, nasty, (level, code, text, requestId) => {
      const line = formatLogEntry({ level: level as 'info', code, text, requestId }, time)
      assert.match(line, /^[ -~]+\n$/)
      const read = JSON.parse(line) as LogEntry
      assert.equal(read.text, text)
      assert.ok(['info', 'warn', 'error'].includes(read.level))
      assert.match(read.code, /^[a-z0-9.-]+$/)
    }),
    { numRuns: 500 },
  )
})

test('a text is cut at its bound', () => {
  assert.ok(formatLogEntry({ ...entry, text: 'x'.repeat(100_000) }, time).length < 2200)
})

const rig = rigForTests(() => ({}))

test('fuzz: header, path, model and body values of callers reach no line of the log unescaped', async () => {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line), Date.now)
  const marker = 'ZqMarker'
  const word = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .map((text) => `${marker}${text}\u001b[31m\r\n{"level"`)
  const headerText = fc.string({ maxLength: 20 }).map((text) => `${marker}${text}`.trim())
  await fc.assert(
    fc.asyncProperty(word, headerText, async (text, header) => {
      await Promise.all([
        rig.call('/v1/chat/completions', {
          body: { model: text, messages: [{ role: text, content: text }] },
        }),
        rig.call('/v1/chat/completions', {
          body: {
            model: 'sandbox',
            messages: [{ role: 'user', content: `sandbox: fail=reset\n${text}` }],
            user: text,
          },
          headers: {
            'idempotency-key': encodeURIComponent(header),
            'x-gatewright-tags': header,
            'x-custom': header,
          },
        }),
        rig.call(`/v1/${encodeURIComponent(text)}`),
        rig.call(`/v1/files/${encodeURIComponent(text)}?q=${encodeURIComponent(text)}`),
        rig.call('/v1beta/models/sandbox:generateContent', { body: `{"contents":${JSON.stringify(text)}` }),
      ])
    }),
    { numRuns: 15 },
  )
  for (const { level, requestId, code, internal } of rig.started.notes)
    log({ level, requestId, code, text: internal })
  assert.ok(lines.length > 0, 'something was logged')
  for (const line of lines) {
    assert.match(line, /^[ -~]+\n$/)
    assert.doesNotMatch(line, new RegExp(marker))
  }
})
