import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiKeySecret } from '../../domain/entities.ts'
import { defaultOverlapMs, planRotation } from './plan-rotation.ts'

const now = 1_700_000_000_000
const first: ApiKeySecret = {
  keyId: 'k',
  version: 1,
  hash: 'a',
  pepperVersion: 1,
  createdAt: 0,
  expiresAt: null,
}
const terms = { keyId: 'k', keyExpiresAt: null, secrets: [first], hash: 'b', pepperVersion: 2, now }

test('the old secret works for the overlap, 24 hours unless told', () => {
  const [next, old, ...rest] = planRotation(terms)
  assert.deepEqual(next, {
    keyId: 'k',
    version: 2,
    hash: 'b',
    pepperVersion: 2,
    createdAt: now,
    expiresAt: null,
  })
  assert.deepEqual(old, { ...first, expiresAt: now + defaultOverlapMs })
  assert.deepEqual(rest, [])
})

test('the overlap never passes the end of the key nor lengthens an end already set', () => {
  assert.equal(planRotation({ ...terms, keyExpiresAt: now + 5 })[1]?.expiresAt, now + 5)
  const ending = { ...first, expiresAt: now + 3 }
  assert.equal(planRotation({ ...terms, secrets: [ending] })[1]?.expiresAt, now + 3)
})

test('an overlap of nothing ends the old secret at once', () => {
  for (const overlapMs of [0, -1]) assert.equal(planRotation({ ...terms, overlapMs }).length, 1)
})

test('a second rotation within the overlap leaves two: the newest two', () => {
  const secrets = planRotation(terms)
  const again = planRotation({ ...terms, secrets, hash: 'c', now: now + 1 })
  assert.deepEqual(
    again.map((secret) => secret.version),
    [3, 2],
  )
})

test('secrets that have ended are dropped, and their versions are not used again', () => {
  const ended = { ...first, version: 7, expiresAt: now }
  assert.deepEqual(
    planRotation({ ...terms, secrets: [ended] }).map((secret) => secret.version),
    [8],
  )
})
