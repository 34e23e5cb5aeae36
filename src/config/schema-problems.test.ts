import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { joinPath } from './parse.ts'
import { findSchemaProblems } from './schema-problems.ts'

const closed = { additionalProperties: false }
const window = Type.Union([
  Type.Enum(['minute', 'hour']),
  Type.String({ pattern: '^[0-9]+s$', examples: ['30s'] }),
  Type.Object({ rolling: Type.String(), burst: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
  Type.Object({ calendar: Type.Enum(['day', 'month']) }, closed),
  Type.Null(),
])
const schema = Type.Object(
  {
    name: Type.String({ maxLength: 4 }),
    window: Type.Optional(window),
    list: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Object({ product: Type.String() }, closed)])),
    ),
    fields: Type.Optional(Type.Record(Type.String(), Type.String({ pattern: '^env:' }))),
  },
  closed,
)

const problemsOf = (value: unknown): string[] =>
  findSchemaProblems(schema, value).map(({ path, kind, reason }) => `${joinPath(path)} ${kind}: ${reason}`)

test('of a union, the form that is nearest is explained', () => {
  const of = (value: unknown): string[] => problemsOf({ name: 'a', window: value })
  assert.deepEqual(of('minutes'), [
    'window invalid: must be minute, hour, text such as 30s, { rolling, burst }, { calendar } or null',
  ])
  assert.deepEqual(of({ calendar: 'year' }), ['window.calendar invalid: must be day or month'])
  assert.deepEqual(of({ rolling: '1h', brust: 2 }), ['window.brust unknown-key: is not a known key'])
  assert.deepEqual(of({ burst: 2 }), ['window.rolling missing-key: is missing'])
  assert.deepEqual(of({ other: 2 }).length, 1)
  assert.deepEqual(problemsOf({ name: 'a', list: ['x', { product: 1 }] }), [
    'list[1].product invalid: must be string',
  ])
})

test('every problem is told, each at its most exact place', () => {
  assert.deepEqual(problemsOf({ naem: 'a', window: 5, fields: { key: 'secret' } }), [
    'naem unknown-key: is not a known key',
    'name missing-key: is missing',
    'window invalid: must be minute, hour, text such as 30s, { rolling, burst }, { calendar } or null',
    'fields.key invalid: must match pattern "^env:"',
  ])
  assert.deepEqual(problemsOf([]), [' invalid: must be object'])
})

test('property: there are problems exactly where the value does not fit', () => {
  const value = fc.oneof(
    fc.anything(),
    fc.record({
      name: fc.oneof(fc.string({ maxLength: 5 }), fc.anything()),
      window: fc.oneof(
        fc.constantFrom('minute', '5s', null, { calendar: 'day' }, { rolling: 'x', burst: 0 }),
        fc.anything(),
      ),
    }),
  )
  fc.assert(
    fc.property(value, (each) => {
      assert.equal(findSchemaProblems(schema, each).length > 0, !Check(schema, each))
    }),
    { numRuns: 500 },
  )
})
