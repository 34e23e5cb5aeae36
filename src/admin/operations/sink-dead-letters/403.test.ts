import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'events are shown to no token of one organization, and to none that may only read',
  withAdmin(async (admin) => {
    const params = { name: 'siem' }
    const bound = await admin.token(['admin'], 'acme')
    const reader = await admin.token(['read'])
    await admin.refuses(
      'sink-dead-letters',
      { params, token: bound },
      { status: 403, code: 'admin.organization-bound' },
    )
    await admin.refuses(
      'sink-dead-letters',
      { params, token: reader },
      { status: 403, code: 'access.scope-denied' },
    )
  }),
)
