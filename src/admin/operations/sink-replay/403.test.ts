import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'nothing is sent again for a token of one organization, nor for one that may only read',
  withAdmin(async (admin) => {
    const params = { name: 'siem' }
    const bound = await admin.token(['admin'], 'acme')
    const reader = await admin.token(['read'])
    await admin.refuses(
      'sink-replay',
      { params, token: bound },
      { status: 403, code: 'admin.organization-bound' },
    )
    await admin.refuses(
      'sink-replay',
      { params, token: reader },
      { status: 403, code: 'access.scope-denied' },
    )
  }),
)
