import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DroppedRecords } from '../domain/refusal.ts'
import type { EventClass } from '../domain/snapshot.ts'
import type { UsageRecord } from '../domain/usage.ts'
import { createTimerWheel } from '../kernel/timer-wheel.ts'
import type { UsageBatch } from './usage-batches.ts'
import { createUsageOutbox, defaultOutboxBounds } from './usage-outbox.ts'

const timers = createTimerWheel(5)
after(() => timers.stop())
const bounds = { ...defaultOutboxBounds, flushMs: 5, retryMs: 50 }
const record = (id: string): UsageRecord => ({ id }) as UsageRecord

function startOutbox(own: Partial<typeof bounds> = {}) {
  const dropped: DroppedRecords[] = []
  const outbox = createUsageOutbox(timers, { ...bounds, ...own }, (each) => dropped.push(each))
  const sent: number[] = []
  outbox.connect(({ sequence }: UsageBatch) => sent.push(sequence))
  const add = (id: string, eventClass: EventClass = 'group'): void => {
    outbox.add(record(id), eventClass)
    outbox.flush()
  }
  return { outbox, sent, dropped, add }
}

test('batches that could not be stored are held; the oldest probes, and the first stored one brings all', async () => {
  const { outbox, sent, add } = startOutbox()
  for (const id of ['a', 'b', 'c']) add(id)
  for (const sequence of sent.splice(0)) outbox.refuse(sequence)
  await sleep(120)
  assert.ok(sent.length > 0, 'a probe goes')
  assert.deepEqual(new Set(sent.splice(0)), new Set([1]), 'the oldest alone')
  outbox.refuse(1)
  assert.equal(outbox.isEmpty, false)
  outbox.acknowledge(1)
  assert.deepEqual(sent.splice(0), [2, 3])
  outbox.acknowledge(2)
  outbox.acknowledge(3)
  assert.ok(outbox.isEmpty)
})

test('a new batch that is stored brings those that were refused before it', () => {
  const { outbox, sent, add } = startOutbox()
  add('a')
  outbox.refuse(1)
  add('b')
  sent.splice(0)
  outbox.acknowledge(2)
  assert.deepEqual(sent, [1])
})

test('beyond its bound it has no room, and has room again once what it holds is stored', () => {
  const { outbox, add } = startOutbox({ maxHeldBytes: 20 })
  add('a')
  assert.ok(outbox.hasRoom)
  add('b')
  assert.equal(outbox.hasRoom, false)
  outbox.refuse(1)
  outbox.refuse(2)
  assert.equal(outbox.hasRoom, false)
  outbox.acknowledge(1)
  outbox.acknowledge(2)
  assert.ok(outbox.hasRoom)
})

test('a new control plane gets all that is held, once; a refusal of what is stored already changes nothing', async () => {
  const { outbox, add } = startOutbox()
  add('a')
  add('b')
  outbox.refuse(1)
  const again: number[] = []
  outbox.connect(({ sequence }) => again.push(sequence))
  assert.deepEqual(again.splice(0), [1, 2])
  outbox.acknowledge(1)
  outbox.refuse(1)
  await sleep(100)
  assert.deepEqual(again, [])
})

test('whoever waits for a record is told once it is on disk, and makes it go at once with others of its turn', async () => {
  const { outbox, sent } = startOutbox({ flushMs: 60_000 })
  const told: string[] = []
  outbox.add(record('waits for company'), 'group')
  outbox.add(record('a'), 'durable', () => told.push('a'))
  outbox.add(record('b'), 'durable', () => told.push('b'))
  await sleep(5)
  assert.deepEqual(sent, [1])
  outbox.refuse(1)
  assert.deepEqual(told, [])
  outbox.acknowledge(1)
  outbox.acknowledge(1)
  assert.deepEqual(told, ['a', 'b'])
})

test('best-effort records give way, the oldest first and counted, and never another; the rest arrives with room again', async () => {
  const { outbox, sent, dropped, add } = startOutbox({ maxHeldBytes: 60 })
  add('a', 'best-effort')
  add('refused', 'group')
  for (const id of ['b', 'c', 'd', 'e']) add(id, 'best-effort')
  for (const sequence of sent.splice(0)) outbox.refuse(sequence)
  assert.deepEqual(
    dropped.map(({ id, count }) => [id, count]),
    [
      ['a', 1],
      ['b', 1],
    ],
  )
  assert.ok(outbox.hasRoom)
  await sleep(120)
  assert.deepEqual(new Set(sent.splice(0)), new Set([2]), 'the oldest that is left probes')
  outbox.acknowledge(2)
  assert.deepEqual(sent, [4, 5, 6])
})

test('one batch that is given up counts each of its records, under the id of the first', () => {
  const { outbox, dropped } = startOutbox({ maxHeldBytes: 100 })
  for (const id of 'abcdefghijkl') outbox.add(record(id), 'best-effort')
  assert.deepEqual(
    dropped.map(({ id, count }) => [id, count]),
    [['a', 3]],
  )
})

test('what may not be given up leaves no room once it fills the bound, whatever class comes next', () => {
  const { outbox, dropped, add } = startOutbox({ maxHeldBytes: 20 })
  add('refused')
  add('refused, too')
  assert.equal(outbox.hasRoom, false)
  add('a', 'best-effort')
  assert.equal(outbox.hasRoom, false)
  assert.equal(dropped.length, 1)
})
