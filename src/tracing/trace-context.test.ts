/** The cases of the W3C test suite for trace context, where they concern a single service. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTraceparent, parseTracestate, readTraceContext, writeTraceparent } from './trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const good = `00-${traceId}-${spanId}-01`

test('a well-formed traceparent is read and written back', () => {
  assert.deepEqual(parseTraceparent(good), { traceId, spanId, isSampled: true })
  assert.equal(writeTraceparent({ traceId, spanId, isSampled: true }), good)
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`)?.isSampled, false)
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-03`)?.isSampled, true)
})

test('a later version is read as far as it is known', () => {
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01`)?.traceId, traceId)
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-the-future-says`)?.traceId, traceId)
})

test('what is malformed counts as nothing', () => {
  const malformed = [
    '',
    `ff${good.slice(2)}`,
    `${good}-`,
    `${good}.`,
    `${good}-01`,
    `cc${good.slice(2)}.future`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    good.toUpperCase(),
    good.replace('c80319c-', 'c80319x-'),
    good.replaceAll('-', '_'),
    `0-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-0x`,
    ` ${good.slice(1)}`,
    `.0${good.slice(2)}`,
  ]
  for (const text of malformed) assert.equal(parseTraceparent(text), null, text)
})

test('a state is passed on member by member, in order, without spaces around them', () => {
  assert.equal(parseTracestate('foo=1 , bar=2,\tbaz=3'), 'foo=1,bar=2,baz=3')
  assert.equal(parseTracestate('foo=1,,bar=2, '), 'foo=1,bar=2')
  assert.equal(
    parseTracestate('fw529a3039@dt=FfACxkJ9AAAAAA,rojo=00f0 67aa'),
    'fw529a3039@dt=FfACxkJ9AAAAAA,rojo=00f0 67aa',
  )
  assert.equal(parseTracestate('a-_*/=1'), 'a-_*/=1')
})

test('a state with one malformed member is left out as a whole', () => {
  const many = Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(',')
  const malformed = [
    'foo',
    'foo=',
    'Foo=1',
    'foo=1,foo=2',
    'foo =1',
    'foo=a=b',
    'foo@=1',
    '@foo=1',
    'f@o@o=1',
    'é=1',
  ]
  for (const text of [
    ...malformed,
    'foo=\u00e9',
    '1foo=1',
    `${'k'.repeat(257)}=1`,
    `k=${'v'.repeat(257)}`,
    many,
  ])
    assert.equal(parseTracestate(text), '', text)
  assert.equal(
    parseTracestate(Array.from({ length: 32 }, (_, at) => `k${at}=1`).join(',')).split(',').length,
    32,
  )
})

test('two parents are none, two states are one list, and a bad state leaves its trace', () => {
  assert.equal(readTraceContext(['traceparent', good, 'traceparent', good]), null)
  assert.equal(readTraceContext(['tracestate', 'foo=1']), null)
  assert.equal(
    readTraceContext(['tracestate', 'foo=1', 'traceparent', good, 'tracestate', 'bar=2'])?.state,
    'foo=1,bar=2',
  )
  assert.deepEqual(readTraceContext(['traceparent', good, 'tracestate', 'foo']), {
    traceId,
    spanId,
    isSampled: true,
    state: '',
  })
})
