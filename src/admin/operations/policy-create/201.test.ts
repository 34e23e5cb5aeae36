import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new policy is in force at its first revision; one that does not hold is refused with its reason',
  withAdmin(async (admin) => {
    const body = { slug: 'all', cedar: 'permit (principal, action, resource);' }
    const made = (await admin.call('policy-create', { body })).body
    assert.deepEqual([made.slug, made.enabled, made.revision, made.description], ['all', true, 1, ''])
    const { items } = (await admin.call('policy-list')).body
    assert.deepEqual(items, [made])
    const wrong = { slug: 'wrong', cedar: 'permit (principal in Group::"x", action, resource);' }
    const expected = { status: 400, code: 'request.invalid-field', param: 'cedar' }
    const refused = await admin.refuses('policy-create', { body: wrong }, expected)
    assert.match(refused.text, /Group/)
    assert.equal((await admin.call('policy-list')).body.items.length, 1)
  }),
)
