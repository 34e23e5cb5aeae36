import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditKindOf, auditNameOf } from '../admin/audit-actions.ts'
import { adminTable } from '../admin/register.ts'
import { sampleEvent, sampleEvents } from './harness/sample-events.ts'
import { ocsfProblems } from './harness/validate-ocsf.ts'
import { ocsfDocument } from './ocsf.ts'

const parse = (text: string): Record<string, unknown> => JSON.parse(text)

test('every kind of event is a valid document of its class of OCSF 1.5.0', () => {
  for (const event of sampleEvents) assert.deepEqual(ocsfProblems(parse(ocsfDocument(event))), [], event.id)
})

test('all five classes are used, each for what it is about', () => {
  const classes = sampleEvents.map((event) => [event.action, parse(ocsfDocument(event))['type_uid']])
  assert.deepEqual(classes, [
    ['exchange.completed', 600399],
    ['exchange.refused', 600399],
    ['usage.recorded', 600399],
    ['auth.refused', 300201],
    ['limits.refused', 600399],
    ['guard.refused', 200401],
    ['privacy.refused', 200601],
    ['sign-in.refuse', 300201],
    ['key.create', 300101],
    ['key.rotate', 300199],
    ['deployment.update', 600303],
    ['control-plane.start', 600399],
    ['connection.refused', 200401],
    ['audit.checkpoint', 600399],
  ])
})

test('the validator finds a missing, an unknown, a wrongly typed and an unconstrained attribute', () => {
  const [event] = sampleEvents
  assert.ok(event)
  const good = parse(ocsfDocument(event))
  const { api, ...withoutApi } = good
  assert.deepEqual(ocsfProblems(withoutApi), ['api is missing'])
  assert.deepEqual(ocsfProblems({ ...good, secret: 'x' }), ['secret is not an attribute'])
  assert.deepEqual(ocsfProblems({ ...good, time: '5' }), ['time is no integer'])
  assert.match(ocsfProblems({ ...good, src_endpoint: {} })[0] ?? '', /has none of ip/)
  assert.deepEqual(ocsfProblems({ ...good, activity_id: 7 }), ['type_uid', 'activity_id 7'])
  assert.ok(api)
})

test('whatever the admin API records is a valid document, and keys and tokens are accounts', () => {
  const accounts = new Set<string>()
  const recorded = adminTable.filter((row) => auditKindOf(row) !== 'none')
  for (const row of recorded) {
    const { action, noun } = auditNameOf(row.name)
    const event = sampleEvent({
      stream: 'audit',
      action,
      actor: { kind: 'admin', id: 'tok_1', applicationId: '', address: '192.0.2.7', endUser: '' },
      resource: { kind: noun, id: 'id_1' },
      exchange: null,
    })
    const document = parse(ocsfDocument(event))
    assert.deepEqual(ocsfProblems(document), [], action)
    if (document['class_uid'] === 3001) accounts.add(action)
  }
  assert.ok(recorded.length > 40)
  for (const action of ['key.create', 'key.rotate', 'key.revoke', 'admin-token.create', 'admin-token.revoke'])
    assert.ok(accounts.has(action), action)
})
