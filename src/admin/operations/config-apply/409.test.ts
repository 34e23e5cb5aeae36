import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an object that is in use is not removed, and then nothing of the document holds',
  withAdmin(async (admin) => {
    const document = 'organizations: [{ slug: initech }]\napplications: [{ slug: one }]'
    await admin.call('config-apply', { body: { document } })
    const params = { organization: 'initech' }
    await admin.call('key-create', { params, body: { application: 'one', name: 'k' } })
    const without = 'organizations: [{ slug: initech }]\napplications: [{ slug: two }]'
    await admin.refuses(
      'config-apply',
      { body: { document: without } },
      { status: 409, code: 'admin.in-use' },
    )
    const absent = { status: 404, code: 'admin.not-found' }
    await admin.refuses('application-get', { params: { ...params, id: 'two' } }, absent)
  }),
)
