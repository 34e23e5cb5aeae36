/**
 * Streams of every dialect: they read the same however their bytes are cut, they say what the unary response says,
 * a caller reads what was said, a broken-off stream ends with an error, and no bytes make a reader throw.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { CanonicalEvent, CanonicalRequest } from '../../src/domain/canonical.ts'
import {
  allDialects,
  caseNames,
  collect,
  encodeStream,
  loadSource,
  plain,
  plainRequest,
  readStream,
  writeStream,
} from './fixtures.ts'
import { canonicalResponse, eventsOf } from './generators.ts'

/** start (part-start delta* part-end)* finish … usage? end, per choice; `error` then `end` anywhere. */
function assertGrammar(events: readonly CanonicalEvent[]): void {
  const open = new Set<string>()
  const key = (event: { readonly choice: number; readonly part: number }) => `${event.choice}.${event.part}`
  assert.equal(events.at(-1)?.type, 'end')
  events.forEach((event, at) => {
    if (event.type === 'start') assert.equal(at, 0)
    if (event.type === 'part-start') {
      assert.ok(!open.has(key(event)))
      open.add(key(event))
    }
    if (event.type === 'delta') assert.ok(open.has(key(event)))
    if (event.type === 'part-end') assert.ok(open.delete(key(event)))
    if (event.type === 'end') assert.equal(at, events.length - 1)
    if (event.type === 'error') assert.equal(events[at + 1]?.type, 'end')
  })
  if (!events.some((event) => event.type === 'error')) assert.equal(open.size, 0)
}

for (const dialect of allDialects) {
  describe(`${dialect.id} streams`, () => {
    const request: CanonicalRequest = { ...plainRequest, dialect: dialect.id }
    for (const caseName of caseNames) {
      const source = loadSource(caseName, dialect.id)
      if (source?.stream === undefined) continue
      const bytes = encodeStream(dialect.id, source.stream)

      it(`read the same cut at every position (case ${caseName})`, () => {
        const whole = readStream(dialect, bytes)
        assertGrammar(whole)
        for (let at = 1; at < bytes.length; at += 1) {
          assert.deepEqual(readStream(dialect, bytes, [at]), whole, `cut at ${at}`)
        }
        const everywhere = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1)
        assert.deepEqual(readStream(dialect, bytes, everywhere), whole)
      })

      it(`say what the unary response says (case ${caseName})`, () => {
        if (source.response === undefined) return
        const streamed = collect(readStream(dialect, bytes))
        assert.deepEqual(streamed, plain(dialect.readResponse(source.response)))
      })

      it(`survive writing and reading again (case ${caseName})`, () => {
        const events = readStream(dialect, bytes)
        const written = writeStream(dialect, events, { request, model: source.model })
        assert.deepEqual(written.downgrades, [])
        assert.deepEqual(collect(readStream(dialect, written.bytes)), collect(events))
      })

      it(`end with an error when broken off (case ${caseName})`, () => {
        // The last event may say nothing that matters any more, so only the first half is taken.
        for (let length = 0; length < bytes.length / 2; length += 7) {
          const events = readStream(dialect, bytes.subarray(0, length))
          assertGrammar(events)
          assert.deepEqual(
            events.slice(-2).map((event) => event.type),
            ['error', 'end'],
            `first ${length} bytes`,
          )
        }
      })
    }

    it('carry a random response to their caller: what the caller reads is what was said', () => {
      const property = fc.property(canonicalResponse, (response) => {
        const { bytes } = writeStream(dialect, eventsOf(response), { request, model: 'm' })
        const events = readStream(dialect, bytes)
        assertGrammar(events)
        const read = collect(events)
        const said = plain(response)
        assert.deepEqual(read.parts, said.parts)
        assert.equal(read.stopReason, said.stopReason)
        assert.equal(read.usage?.inputTokens, said.usage?.inputTokens)
        assert.equal(read.usage?.outputTokens, said.usage?.outputTokens)
      })
      fc.assert(property, { numRuns: 200 })
    })

    it('never throw, whatever the bytes', () => {
      const source = loadSource('tools', dialect.id)
      const bytes = encodeStream(dialect.id, source?.stream ?? [])
      const property = fc.property(
        fc.nat({ max: bytes.length - 1 }),
        fc.uint8Array({ maxLength: 40 }),
        (at, noise) => {
          const spoilt = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + noise.length)])
          const events = readStream(dialect, spoilt)
          assert.equal(events.filter((event) => event.type === 'end').length, 1)
          assert.equal(events.at(-1)?.type, 'end')
        },
      )
      fc.assert(property, { numRuns: 300 })
    })
  })
}
