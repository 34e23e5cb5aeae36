import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a policy is checked without being stored',
  withAdmin(async (admin) => {
    const check = async (cedar: string) =>
      (await admin.call('policy-validate', { body: { cedar } })).body.problem
    assert.equal(await check('permit (principal, action, resource);'), null)
    assert.match((await check('permit (principal, action == Action::"fly", resource);')) ?? '', /fly/)
    assert.deepEqual((await admin.call('policy-list')).body.items, [])
  }),
)
