import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'policies of the organization are listed, oldest first, and no others',
  withAdmin(async (admin) => {
    const cedar = 'permit (principal, action, resource);'
    for (const slug of ['b', 'a']) {
      await admin.call('policy-create', { body: { slug, cedar } })
      admin.clock.advance(1)
    }
    await admin.call('policy-create', { params: { organization: 'globex' }, body: { slug: 'c', cedar } })
    const { items } = (await admin.call('policy-list')).body
    assert.deepEqual(
      items.map(({ slug }) => slug),
      ['b', 'a'],
    )
  }),
)
