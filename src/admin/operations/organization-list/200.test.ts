import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an unbound token sees all organizations, a bound one its own',
  withAdmin(async (admin) => {
    const slugs = async (token: string) =>
      (await admin.call('organization-list', { token })).body.items.map((each) => each.slug).sort()
    assert.deepEqual(await slugs(admin.admin), ['acme', 'globex'])
    assert.deepEqual(await slugs(await admin.token(['read'], 'acme')), ['acme'])
  }),
)

test(
  'pages follow each other without gap or repetition',
  withAdmin(async (admin) => {
    await admin.call('organization-create', { body: { slug: 'initech' } })
    const first = (await admin.call('organization-list', { query: { limit: 1 } })).body
    const second = (await admin.call('organization-list', { query: { limit: 500, after: first.next ?? '' } }))
      .body
    const all = (await admin.call('organization-list')).body
    assert.equal(first.items.length, 1)
    assert.deepEqual([...first.items, ...second.items], all.items)
    assert.equal(second.next, null)
  }),
)
