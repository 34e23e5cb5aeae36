import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { systemClock } from '../kernel/clock.ts'
import type { DeliveryOutcome } from '../ports/event-sink.ts'
import type { DeadLetter } from './dead-letters.ts'
import { deliverBatch } from './deliver-batch.ts'
import { allTaken, createTestSink } from './harness/delivery-bench.ts'
import { sampleEvent } from './harness/sample-event.ts'
import { SinkGate } from './sink-gate.ts'

const batch = ['a', 'b', 'c'].map((id) => sampleEvent({ id }))

const newGate = () => new SinkGate({ most: 4, clock: systemClock, random: () => 0, firstPauseMs: 0 })

async function deliver(
  answer: (events: readonly OversightEvent[]) => DeliveryOutcome | Promise<DeliveryOutcome>,
  canBury: () => boolean = () => true,
  gate = newGate(),
) {
  const { sink, calls, ids } = createTestSink(answer)
  const buried: DeadLetter[] = []
  let counted = 0
  await deliverBatch(batch, {
    sink,
    gate,
    timeoutMs: 1000,
    now: Date.now,
    signal: new AbortController().signal,
    async bury(letters) {
      if (!canBury()) return false
      buried.push(...letters)
      return true
    },
    report({ delivered, rejected }) {
      counted += delivered + rejected
    },
  })
  return { calls, taken: [...ids()].sort(), buried: buried.map(({ event }) => event.id), counted }
}

const rejectB = (events: readonly OversightEvent[]): DeliveryOutcome => ({
  ...allTaken,
  rejected: events.flatMap(({ id }, at) => (id === 'b' ? [{ at, reason: 'no' }] : [])),
})

test('what can neither be delivered nor put aside is tried until it can', async () => {
  let attempts = 0
  const result = await deliver(rejectB, () => ++attempts > 3)
  assert.deepEqual(result, { calls: [3, 1, 1, 1], taken: ['a', 'c'], buried: ['b'], counted: 3 })
})

test('an event that comes back a hundred times while others are taken is put aside', async () => {
  const gate = newGate()
  let calls = 0
  const answer = (events: readonly OversightEvent[]): DeliveryOutcome => {
    calls += 1
    // Before it comes again, another batch gets through.
    void gate.enter(new AbortController().signal).then(() => gate.taken())
    return { ...allTaken, retry: events.flatMap(({ id }, at) => (id === 'b' ? [at] : [])), problem: 'busy' }
  }
  const result = await deliver(answer, undefined, gate)
  assert.deepEqual([result.taken, result.buried], [['a', 'c'], ['b']])
  // A call after which no other got through does not count.
  assert.ok(calls >= 100 && calls <= 300, `${calls} calls`)
})

test('a sink that throws, and places that are none of the batch, lose nothing', async () => {
  let calls = 0
  const result = await deliver(() => {
    calls += 1
    if (calls === 1) throw new Error('a mistake in the sink')
    return { ...allTaken, retry: calls === 2 ? [7, -1, 0] : [], rejected: [{ at: 99, reason: 'none' }] }
  })
  assert.deepEqual([result.taken, result.buried], [['a', 'b', 'c'], []])
})
