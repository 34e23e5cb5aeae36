import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  "another organization's application gets no key here",
  withAdmin(async (admin) => {
    const theirs = { params: { organization: 'globex' }, body: { slug: 'theirs' } }
    const application = (await admin.call('application-create', theirs)).body.id
    await admin.refuses(
      'key-create',
      { body: { application, name: 'k' } },
      { status: 404, code: 'admin.not-found' },
    )
  }),
)
