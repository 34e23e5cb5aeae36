import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTimerWheel } from '../kernel/timer-wheel.ts'
import { createRefusalOutbox, type RefusalBatch } from './refusal-outbox.ts'

const timers = createTimerWheel(5)
after(() => timers.stop())

function startOutbox(maxRows = 10) {
  const outbox = createRefusalOutbox(timers, { flushMs: 20, maxRows })
  const sent: RefusalBatch[] = []
  outbox.connect((batch) => sent.push(batch))
  let count = 0
  return {
    outbox,
    sent,
    refuse(address: string, fault = 'auth.invalid-key') {
      count += 1
      outbox.add({ id: `req_${count}`, time: count, fault, status: 401, address, operation: '' })
    },
    told: () => sent.flatMap(({ refusals }) => refusals).reduce((sum, each) => sum + each.count, 0),
  }
}

test('alike refusals are one row with their number, under the id of the first', async () => {
  const { outbox, sent, refuse } = startOutbox()
  for (let at = 0; at < 5; at += 1) refuse('192.0.2.1')
  refuse('192.0.2.2')
  refuse('192.0.2.1', 'auth.expired-key')
  await sleep(60)
  assert.deepEqual(
    sent[0]?.refusals.map(({ id, address, count }) => [id, address, count]),
    [
      ['req_1', '192.0.2.1', 5],
      ['req_6', '192.0.2.2', 1],
      ['req_7', '192.0.2.1', 1],
    ],
  )
  outbox.acknowledge(1)
  assert.ok(outbox.isEmpty)
})

test('a flood from a hundred thousand addresses costs the rows of its bound, and each of it is counted', async () => {
  const { outbox, sent, refuse, told } = startOutbox(50)
  for (let at = 0; at < 100_000; at += 1) refuse(`2001:db8::${at.toString(16)}`)
  await sleep(60)
  assert.ok((sent[0]?.refusals.length ?? 0) <= 51)
  assert.equal(told(), 100_000)
  assert.equal(sent[0]?.refusals.at(-1)?.address, '')
  outbox.acknowledge(1)
})

test('one batch is under way at a time; while it is refused or nobody takes it, counts go on', async () => {
  const { outbox, sent, refuse } = startOutbox()
  refuse('192.0.2.1')
  await sleep(60)
  for (let at = 0; at < 3; at += 1) refuse('192.0.2.1')
  await sleep(60)
  assert.equal(sent.length, 1)
  outbox.refuse(1)
  await sleep(60)
  assert.deepEqual(
    sent.map(({ sequence }) => sequence),
    [1, 1],
  )
  const next: RefusalBatch[] = []
  outbox.connect((batch) => next.push(batch))
  assert.equal(next[0]?.sequence, 1, 'a new control plane gets what the one before did not store')
  outbox.acknowledge(1)
  await sleep(60)
  assert.deepEqual(
    next[1]?.refusals.map(({ id, count }) => [id, count]),
    [['req_2', 3]],
  )
  outbox.acknowledge(2)
  assert.ok(outbox.isEmpty)
})

test('records that were given up are told as one number, once, and those of the meantime with the next', async () => {
  const { outbox, sent } = startOutbox()
  outbox.addDropped({ id: 'req_1', time: 1, count: 3 })
  outbox.addDropped({ id: 'req_9', time: 2, count: 4 })
  await sleep(60)
  assert.deepEqual(sent[0], { sequence: 1, refusals: [], dropped: { id: 'req_1', time: 1, count: 7 } })
  outbox.addDropped({ id: 'req_20', time: 3, count: 1 })
  outbox.refuse(1)
  await sleep(60)
  assert.deepEqual(sent[1], sent[0], 'told again as it was')
  outbox.acknowledge(1)
  await sleep(60)
  assert.deepEqual(sent[2]?.dropped, { id: 'req_20', time: 3, count: 1 })
  outbox.acknowledge(2)
  assert.ok(outbox.isEmpty)
})
