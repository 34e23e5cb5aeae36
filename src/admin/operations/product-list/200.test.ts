import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'products are found by state',
  withAdmin(async (admin) => {
    await admin.call('product-create', { body: { slug: 'next', operations: ['*'], models: ['*'] } })
    const slugs = async (state: string) =>
      (await admin.call('product-list', { query: { state } })).body.items.map((each) => each.slug)
    assert.deepEqual(await slugs('published'), ['chat'])
    assert.deepEqual(await slugs('draft'), ['next'])
    assert.deepEqual(await slugs('retired'), [])
  }),
)
