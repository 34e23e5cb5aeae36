import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an issuer with an audience that another organization has already is refused',
  withAdmin(async (admin) => {
    const body = { name: 'x', issuer: 'https://a.example', audiences: ['a'], application: { slug: 'shop' } }
    await admin.call('token-issuer-create', { body })
    const other = { params: { organization: 'globex' }, body }
    await admin.refuses('token-issuer-create', other, { status: 409, code: 'admin.conflict' })
  }),
)
