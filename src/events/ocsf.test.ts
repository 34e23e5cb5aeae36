import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleEvents } from './harness/sample-events.ts'
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
    ['exchange.used', 600399],
    ['auth.refused', 300201],
    ['limits.refused', 600399],
    ['guard.refused', 200401],
    ['privacy.refused', 200601],
    ['sign-in.refused', 300201],
    ['key.create', 300101],
    ['key.rotate', 300199],
    ['deployment.update', 600303],
    ['audit.checkpoint', 600399],
    ['snapshot.swapped', 600399],
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
