import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limitSubjects } from '../domain/limits.ts'
import { requestOf } from './harness/samples.ts'
import { counterKeyOf, networkOf, subjectOf } from './subjects.ts'

test('a subject string is the values in the order of the rule', () => {
  const request = requestOf({ user: 'ann', model: 'gpt-4' })
  assert.equal(subjectOf([], request), '')
  assert.equal(subjectOf(['application'], request), 'app_a')
  assert.equal(subjectOf(['model', 'application', 'user'], request), 'gpt-4|app_a|ann')
  assert.equal(subjectOf(limitSubjects, request), 'org_a|team-a|app_a|key_a|ann|192.0.2.7|gpt-4|route-a')
})

test('version 6 counts by /64, version 4 alone, however it is written', () => {
  assert.equal(networkOf('192.0.2.7'), '192.0.2.7')
  assert.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(networkOf('2001:DB8:1:2::'), '2001:db8:1:2::/64')
  assert.equal(networkOf('2001:db8:1:3::1'), '2001:db8:1:3::/64')
  assert.equal(networkOf('::1'), '0:0:0:0::/64')
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(networkOf('no:address|'), 'no:address%7C')
})

test('a request without an end user counts by its key, and no end user can pass for a key', () => {
  const byKey = subjectOf(['user'], requestOf({ user: '' }))
  assert.notEqual(byKey, subjectOf(['user'], requestOf({ user: '', keyId: 'key_b' })))
  assert.notEqual(byKey, subjectOf(['user'], requestOf({ user: byKey })))
})

test('property: two lists of values never make one subject', () => {
  const values = fc.tuple(
    fc.string({ unit: fc.constantFrom('|', '%', 'a', '7', 'C') }),
    fc.string({ unit: fc.constantFrom('|', '%', 'a', '7', 'C') }),
  )
  fc.assert(
    fc.property(values, values, ([model, user], [otherModel, otherUser]) => {
      const one = subjectOf(['model', 'user'], requestOf({ model, user }))
      const other = subjectOf(['model', 'user'], requestOf({ model: otherModel, user: otherUser }))
      assert.equal(one === other, model === otherModel && user === otherUser)
    }),
  )
})

test('property: names of counters are short printable ASCII with the organization as hash tag', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 })
  fc.assert(
    fc.property(text, (subject) => {
      const key = counterKeyOf('org_a', 'ltm_b', subject)
      assert.match(key, /^\{org_a\}[\x20-\x7e]*$/)
      assert.ok(key.length <= 120)
      assert.notEqual(key, counterKeyOf('org_a', 'ltm_b', `${subject}x`))
      assert.notEqual(key, counterKeyOf('org_a', 'ltm_c', subject))
    }),
  )
})
