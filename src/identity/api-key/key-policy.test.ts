import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayMs, findBreach, refusedAge, rotationStanding, strictestPolicy } from './key-policy.ts'

test('of two policies the stricter word holds, field by field, whichever comes first', () => {
  const organization = {
    maxLifetimeDays: 90,
    rotateEveryDays: 30,
    rotateWarnDays: 3,
    unusedDays: 10,
  } as const
  const application = {
    maxLifetimeDays: 365,
    rotateEveryDays: 7,
    rotateWarnDays: 5,
    whenRotationOverdue: 'refuse',
    networks: 'required',
  } as const
  const both = { ...organization, ...application, maxLifetimeDays: 90 }
  assert.deepEqual(strictestPolicy(organization, application), both)
  assert.deepEqual(strictestPolicy(application, organization), both)
  assert.deepEqual(strictestPolicy({}, organization), organization)
  assert.deepEqual(strictestPolicy({ whenRotationOverdue: 'refuse' }, { whenRotationOverdue: 'warn' }), {
    whenRotationOverdue: 'refuse',
  })
  assert.deepEqual(strictestPolicy({}, {}), {})
})

test('a lifetime counts from the newest secret, and a key without an end breaks it', () => {
  const policy = { maxLifetimeDays: 2 }
  const key = { cidrs: [], rotatedAt: 1000 }
  assert.equal(findBreach({ ...key, expiresAt: null }, policy)?.field, 'expiresAt')
  assert.equal(findBreach({ ...key, expiresAt: 1001 + 2 * dayMs }, policy)?.field, 'expiresAt')
  assert.equal(findBreach({ ...key, expiresAt: 1000 + 2 * dayMs }, policy), null)
  assert.equal(findBreach({ ...key, expiresAt: null }, { networks: 'required' })?.field, 'cidrs')
  assert.equal(findBreach({ ...key, cidrs: ['::/0'], expiresAt: null }, { networks: 'required' }), null)
  assert.equal(findBreach({ ...key, expiresAt: null }, {}), null)
})

test('a rotation is due so many days before its end, and overdue from it on', () => {
  const policy = { rotateEveryDays: 30, rotateWarnDays: 2 }
  const at = (days: number) => rotationStanding(0, policy, days * dayMs)
  assert.deepEqual([at(27.9), at(28), at(29.9), at(30)], ['none', 'due', 'due', 'overdue'])
  assert.equal(rotationStanding(0, { rotateEveryDays: 30 }, 23 * dayMs), 'due')
  assert.equal(rotationStanding(0, {}, 9999 * dayMs), 'none')
  assert.equal(refusedAge(policy), null)
  assert.equal(refusedAge({ whenRotationOverdue: 'refuse' }), null)
  assert.equal(refusedAge({ ...policy, whenRotationOverdue: 'refuse' }), 30 * dayMs)
})
