import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'guards of a document are listed, exported as they were written, and removed in the document only',
  withAdmin(async (admin) => {
    const document =
      'organizations: [{ slug: byfile }]\nguards: [{ name: g, detector: secrets, action: mask, places: [response], rules: [aws-*], match: { models: [x] } }]'
    await admin.call('config-apply', { body: { document } })
    const { items } = (await admin.call('guard-list', { params: { organization: 'byfile' } })).body
    assert.deepEqual(
      items.map(({ name, places }) => [name, places]),
      [['g', ['response']]],
    )
    const exported = (await admin.call('config-export')).body
    assert.match(JSON.stringify(exported), /aws-\*/)
    const request = { params: { organization: 'byfile', id: 'g' } }
    await admin.refuses('guard-delete', request, { status: 409, code: 'admin.read-only' })
    const wrong =
      'organizations: [{ slug: byfile }]\nguards: [{ name: g, detector: secrets, action: mask, rules: [no-such] }]'
    await admin.refuses(
      'config-apply',
      { body: { document: wrong } },
      { status: 400, code: 'config.invalid' },
    )
  }),
)
