import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'applications of this organization, and of no other',
  withAdmin(async (admin) => {
    await admin.call('application-create', { params: { organization: 'globex' }, body: { slug: 'theirs' } })
    const { items } = (await admin.call('application-list')).body
    assert.deepEqual(
      items.map((each) => each.slug),
      ['shop'],
    )
  }),
)

test(
  'pages follow each other without gap or repetition',
  withAdmin(async (admin) => {
    for (const slug of ['a', 'b']) await admin.call('application-create', { body: { slug } })
    const first = (await admin.call('application-list', { query: { limit: 1 } })).body
    const second = (await admin.call('application-list', { query: { limit: 500, after: first.next ?? '' } }))
      .body
    const all = (await admin.call('application-list')).body
    assert.equal(first.items.length, 1)
    assert.deepEqual([...first.items, ...second.items], all.items)
    assert.equal(second.next, null)
  }),
)
