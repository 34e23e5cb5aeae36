import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTimerWheel } from '../kernel/timer-wheel.ts'
import { sampleRecord } from './harness/sample-record.ts'
import { createTraceOutbox, type TraceBatch } from './trace-outbox.ts'

const bounds = { flushMs: 1000, batchBytes: 100_000, maxHeldBytes: 5000 }

function open() {
  const sent: TraceBatch[] = []
  const outbox = createTraceOutbox(createTimerWheel(), bounds)
  return { outbox, sent, connect: () => outbox.connect((batch) => sent.push(batch)) }
}

const linesOf = ({ lines }: TraceBatch): string[] => new TextDecoder().decode(lines).trimEnd().split('\n')

test('records go together, each on a line', () => {
  const { outbox, sent, connect } = open()
  connect()
  outbox.add(sampleRecord())
  outbox.add(sampleRecord({ requestId: 'req_2' }))
  outbox.flush()
  const [batch] = sent
  assert.ok(batch && sent.length === 1)
  assert.deepEqual(
    linesOf(batch).map((line) => JSON.parse(line) as unknown),
    [sampleRecord(), sampleRecord({ requestId: 'req_2' })],
  )
})

test('what finds no room is dropped and told with the next batch; an acknowledgement makes room', () => {
  const { outbox, sent, connect } = open()
  outbox.add(sampleRecord())
  connect()
  for (let turn = 0; turn < 20; turn += 1) outbox.add(sampleRecord())
  outbox.flush()
  const [first] = sent
  assert.ok(first)
  const kept = linesOf(first).length
  assert.ok(kept < 20 && first.lines.byteLength <= bounds.maxHeldBytes + 2000)
  assert.equal(first.dropped, 1 + 20 - kept)
  outbox.add(sampleRecord())
  outbox.acknowledge(first.sequence)
  outbox.add(sampleRecord())
  outbox.flush()
  assert.deepEqual(
    sent.slice(1).map((batch) => [linesOf(batch).length, batch.dropped]),
    [[1, 1]],
  )
})

test('a new control plane is sent what comes, not what the last one had', () => {
  const { outbox, sent, connect } = open()
  connect()
  for (let turn = 0; turn < 20; turn += 1) outbox.add(sampleRecord())
  outbox.flush()
  connect()
  outbox.add(sampleRecord())
  outbox.flush()
  assert.deepEqual(
    sent.map(({ sequence }) => sequence),
    [1, 2],
  )
})
