import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'plans are listed, oldest first',
  withAdmin(async (admin) => {
    for (const slug of ['small', 'large']) {
      await admin.call('plan-create', { body: { slug } })
      admin.clock.advance(1)
    }
    const { items, next } = (await admin.call('plan-list')).body
    assert.deepEqual([items.map(({ slug }) => slug), next], [['small', 'large'], null])
  }),
)
