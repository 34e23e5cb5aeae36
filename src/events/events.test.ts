import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Refusal } from '../domain/refusal.ts'
import { sampleRecord } from '../usage/sample-record.ts'
import { eventOfRefusal, eventsOfRecord, usageEventOf } from './index.ts'

const refusal: Refusal = {
  id: 'req_1',
  time: 1_700_000_000_000,
  count: 1,
  fault: 'auth.invalid-key',
  status: 401,
  address: '192.0.2.1',
  operation: 'chat.completions',
}

test('a refusal about who asks is of the stream security, any other of access', () => {
  const { stream, action, reason, actor, count } = eventOfRefusal(refusal)
  assert.deepEqual(
    [stream, action, reason, actor.kind, actor.address, count],
    ['security', 'auth.refused', 'auth.invalid-key', 'unknown', '192.0.2.1', undefined],
  )
  const other = eventOfRefusal({ ...refusal, fault: 'request.not-found', status: 404, count: 12 })
  assert.deepEqual([other.stream, other.action, other.count], ['access', 'exchange.refused', 12])
})

test('what never became a request is of the stream security, with its reason, its address and how many', () => {
  const event = eventOfRefusal({
    ...refusal,
    fault: 'tls.handshake-failed',
    status: 0,
    operation: '',
    count: 7,
    ofConnection: true,
  })
  const { stream, action, reason, actor, exchange, count } = event
  assert.deepEqual(
    [stream, action, reason, actor.address, exchange, count],
    ['security', 'connection.refused', 'tls.handshake-failed', '192.0.2.1', null, 7],
  )
})

test('the events of one record have ids of their own, the same each time', () => {
  const record = sampleRecord(1, { outcome: 'refused', fault: 'limits.rate', status: 429 })
  const ids = () => [...eventsOfRecord(record), usageEventOf(record)].map(({ id }) => id)
  assert.deepEqual(ids(), [record.id, `${record.id}.refused`, `${record.id}.usage`])
  assert.deepEqual(ids(), ids())
})

test('address and trace come along where they were recorded', () => {
  const [bare] = eventsOfRecord(sampleRecord(1))
  assert.deepEqual([bare?.actor.address, bare?.exchange?.traceId], ['', ''])
  const traced = { address: '192.0.2.1', traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
  const [event] = eventsOfRecord(sampleRecord(1, traced))
  assert.deepEqual(
    [event?.actor.address, event?.exchange?.traceId, event?.exchange?.spanId],
    [traced.address, traced.traceId, traced.spanId],
  )
})
