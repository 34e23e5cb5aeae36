import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { ecsDocument } from './ecs-document.ts'
import { type EcsType, ecsFields, ownFields } from './ecs-fields.ts'
import { sampleEvents } from './harness/sample-events.ts'

const types: Readonly<Record<string, EcsType>> = { ...ecsFields, ...ownFields }

/** Values that ECS 9 allows, with the types that it expects of each category. */
const expectedTypes: Readonly<Record<string, readonly string[]>> = {
  api: [
    'access',
    'admin',
    'allowed',
    'change',
    'creation',
    'deletion',
    'denied',
    'end',
    'info',
    'start',
    'user',
  ],
  authentication: ['start', 'end', 'info'],
  configuration: ['access', 'change', 'creation', 'deletion', 'info'],
  iam: ['admin', 'change', 'creation', 'deletion', 'group', 'info', 'user'],
  intrusion_detection: ['allowed', 'denied', 'info'],
  network: ['access', 'allowed', 'connection', 'denied', 'end', 'info', 'protocol', 'start'],
}

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([name, child]) =>
    leaves(child, path === '' ? name : `${path}.${name}`),
  )
}

function fits(type: EcsType | undefined, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'float') return typeof value === 'number'
  if (type === 'long' || type === 'integer') return Number.isSafeInteger(value)
  if (type === 'ip') return typeof value === 'string' && isIP(value) !== 0
  if (type === 'date') return typeof value === 'string' && !Number.isNaN(Date.parse(value))
  if (type === undefined) return false
  return [value].flat().every((item) => typeof item === 'string' && item !== '')
}

test('every field that is written is one of the tables, and of its type', () => {
  for (const event of sampleEvents) {
    for (const [path, value] of leaves(JSON.parse(ecsDocument(event))))
      assert.ok(fits(types[path], value), `${event.id}: ${path} = ${JSON.stringify(value)}`)
  }
})

test('every field of the tables is written by some event', () => {
  const written = new Set(
    sampleEvents.flatMap((event) => leaves(JSON.parse(ecsDocument(event))).map(([path]) => path)),
  )
  assert.deepEqual(
    Object.keys(types).filter((path) => !written.has(path)),
    [],
  )
})

test('kind, category, type and outcome have values that ECS allows together', () => {
  for (const event of sampleEvents) {
    const { kind, category, type, outcome } = JSON.parse(ecsDocument(event)).event
    assert.ok(['alert', 'event', 'metric'].includes(kind))
    assert.ok(['success', 'failure', 'unknown'].includes(outcome))
    assert.ok(expectedTypes[category[0]]?.includes(type[0]), `${event.id}: ${category} ${type}`)
  }
})

test('the duration is in nanoseconds and the data stream is the one of the stream', () => {
  const [event] = sampleEvents
  assert.ok(event)
  const document = JSON.parse(ecsDocument(event, 'prod'))
  assert.equal(document.event.duration, 812_500_000)
  assert.deepEqual(document.data_stream, { type: 'logs', dataset: 'gatewright.access', namespace: 'prod' })
})
