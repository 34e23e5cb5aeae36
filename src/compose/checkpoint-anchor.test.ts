import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import { createCheckpointAnchor } from './checkpoint-anchor.ts'

const noteOf = (size: number): string => `gatewright.local/audit/abc\n${size}\nroot=\n\n— name sig=\n`

function openAnchor(paceMs: number) {
  const sent: OversightEvent[] = []
  const state = { isFull: false }
  const anchor = createCheckpointAnchor({
    async deliver(event) {
      if (state.isFull) return new Fault(faults.storageUnavailable, { internal: 'full' })
      sent.push(event)
      return null
    },
    now: () => 1,
    paceMs,
  })
  return { sent, state, anchor }
}

const sizes = (sent: readonly OversightEvent[]) =>
  sent.map(({ checkpoint }) =>
    Number(
      Buffer.from(checkpoint ?? '', 'base64')
        .toString()
        .split('\n')[1],
    ),
  )

test('a checkpoint goes to the sinks at once, and of many the newest within the pace', async () => {
  const { sent, anchor } = openAnchor(30)
  for (let size = 1; size <= 50; size += 1) anchor.publish(noteOf(size))
  await sleep(100)
  assert.deepEqual(sizes(sent), [1, 50])
  const [event] = sent
  assert.deepEqual(
    [event?.stream, event?.action, event?.id],
    ['audit', 'audit.checkpoint', 'abc.checkpoint.1'],
  )
  assert.equal(event?.resource?.id, 'gatewright.local/audit/abc')
  anchor.publish(noteOf(51))
  await sleep(0)
  assert.deepEqual(sizes(sent), [1, 50, 51])
  anchor.publish(noteOf(52))
  await anchor.close()
  assert.deepEqual(sizes(sent), [1, 50, 51, 52], 'the last one goes before the end')
})

test('a checkpoint that cannot be stored is tried again, or the newer one in its place', async () => {
  const { sent, state, anchor } = openAnchor(20)
  state.isFull = true
  anchor.publish(noteOf(1))
  await sleep(50)
  state.isFull = false
  await sleep(50)
  assert.deepEqual(sizes(sent), [1])
  state.isFull = true
  anchor.publish(noteOf(2))
  anchor.publish(noteOf(3))
  await sleep(50)
  state.isFull = false
  await sleep(50)
  assert.deepEqual(sizes(sent), [1, 3])
  await anchor.close()
})
