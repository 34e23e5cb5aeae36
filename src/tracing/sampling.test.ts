import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleCall, sampleRecord } from './harness/sample-record.ts'
import { type TailRules, TailSampler } from './tail-sampler.ts'
import { createTraceIds, isWithinRatio } from './trace-ids.ts'
import type { TraceRecord } from './trace-record.ts'

const ids = createTraceIds()

test('ids are random, and never zero', () => {
  const traces = new Set(Array.from({ length: 5000 }, () => ids.traceId()))
  assert.equal(traces.size, 5000)
  assert.ok([...traces].every((id) => /^[0-9a-f]{32}$/.test(id)))
  assert.match(ids.spanId(), /^[0-9a-f]{16}$/)
})

test('a share is kept by the id alone, and a smaller share lies within a larger one', () => {
  const traces = Array.from({ length: 20_000 }, () => ids.traceId())
  const kept = traces.filter((id) => isWithinRatio(id, 0.1))
  assert.ok(Math.abs(kept.length - 2000) < 250, String(kept.length))
  assert.ok(kept.every((id) => isWithinRatio(id, 0.2)))
  assert.ok(traces.every((id) => isWithinRatio(id, 1) && !isWithinRatio(id, 0)))
})

interface Desk {
  readonly tail: TailSampler
  readonly kept: TraceRecord[]
  readonly dropped: TraceRecord[]
  now: number
  rules: TailRules | null
}

const rules: TailRules = { errors: true, refused: true, slowMs: 1000, costUsd: 0.5, ratio: 0, waitMs: 1000 }

function open(bounds = { maxTraces: 100, maxBytes: 100_000 }): Desk {
  const kept: TraceRecord[] = []
  const dropped: TraceRecord[] = []
  const desk: { now: number; rules: TailRules | null } = { now: 0, rules }
  const tail = new TailSampler({
    rules: () => desk.rules,
    keep: (record) => kept.push(record),
    drop: (record) => dropped.push(record),
    now: () => desk.now,
    bounds,
  })
  return Object.assign(desk, { tail, kept, dropped })
}

const record = (own: Partial<TraceRecord> = {}) => sampleRecord({ traceId: ids.traceId(), ...own })

test('errors, refusals, what is slow and what is dear are kept; the rest by its share', () => {
  const desk = open()
  const wanted = [
    record({ outcome: 'failed', status: 502 }),
    record({ outcome: 'refused', status: 429 }),
    record({ durationMs: 1000 }),
    record({ costMicroUsd: 500_000 }),
    record({ calls: [sampleCall({ outcome: 'busy' }), sampleCall()] }),
  ]
  const plain = [
    record(),
    record({ durationMs: 999, costMicroUsd: 499_999 }),
    record({ outcome: 'disconnected' }),
  ]
  for (const each of [...wanted, ...plain]) desk.tail.add(each, 100)
  assert.equal(desk.kept.length, 0)
  desk.now = 1000
  desk.tail.sweep()
  assert.deepEqual(desk.kept, wanted)
  assert.deepEqual(desk.dropped, plain)
})

test('exchanges of one trace are decided together, and late ones follow', () => {
  const desk = open()
  const traceId = ids.traceId()
  desk.tail.add(record({ traceId }), 100)
  desk.tail.add(record({ traceId, outcome: 'failed', status: 500 }), 100)
  desk.now = 1000
  desk.tail.sweep()
  desk.tail.add(record({ traceId }), 100)
  assert.equal(desk.kept.length, 3)
})

test('no more than the bounds wait: the oldest is decided early', () => {
  const desk = open({ maxTraces: 3, maxBytes: 1000 })
  for (let turn = 0; turn < 5; turn += 1) desk.tail.add(record(), 10)
  assert.deepEqual([desk.tail.waiting, desk.dropped.length], [3, 2])
  desk.tail.add(record({ outcome: 'failed' }), 995)
  assert.deepEqual([desk.tail.waiting, desk.dropped.length], [1, 5])
  desk.tail.sweep(true)
  assert.deepEqual([desk.tail.waiting, desk.kept.length], [0, 1])
})

test('without rules all is kept at once, also what waited', () => {
  const desk = open()
  desk.tail.add(record(), 10)
  desk.rules = null
  desk.tail.add(record(), 10)
  desk.tail.sweep()
  assert.equal(desk.kept.length, 2)
})
