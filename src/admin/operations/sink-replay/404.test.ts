import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a sink that is not configured has nothing to send again',
  withAdmin((admin) =>
    admin
      .refuses('sink-replay', { params: { name: 'nobody' } }, { status: 404, code: 'admin.not-found' })
      .then(() => undefined),
  ),
)
