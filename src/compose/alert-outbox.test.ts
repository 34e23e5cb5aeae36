import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitAlertSighting } from '../domain/limit-alert.ts'
import { type AlertMessage, createAlertOutbox } from './alert-outbox.ts'

const sighting: LimitAlertSighting = {
  organizationId: 'org_a',
  limitId: 'ltm_a',
  limitName: 'calls',
  meter: 'requests',
  per: [],
  subject: '',
  periodStartsAt: 0,
  threshold: 0.5,
  amount: 10,
  used: 5,
  at: 1,
}

test('what waits for a control plane, and what one has not acknowledged, goes to the next', () => {
  const outbox = createAlertOutbox()
  outbox.add({ ...sighting, subject: 'early' })
  const first: AlertMessage[] = []
  outbox.connect((message) => first.push(message))
  outbox.add({ ...sighting, subject: 'later' })
  assert.deepEqual(
    first.map(({ sighting: { subject } }) => subject),
    ['early', 'later'],
  )
  outbox.acknowledge(first[0]?.sequence ?? 0)
  const second: AlertMessage[] = []
  outbox.connect((message) => second.push(message))
  assert.deepEqual(second, first.slice(1))
})

test('beyond its bound it drops, and says how many', () => {
  const outbox = createAlertOutbox(2)
  const sent: AlertMessage[] = []
  outbox.connect((message) => sent.push(message))
  for (let index = 0; index < 5; index += 1) outbox.add(sighting)
  assert.deepEqual(
    sent.map(({ dropped }) => dropped),
    [0, 0],
  )
  outbox.acknowledge(1)
  outbox.add(sighting)
  outbox.acknowledge(2)
  outbox.add(sighting)
  assert.deepEqual(
    sent.map(({ dropped }) => dropped),
    [0, 0, 3, 0],
  )
})
