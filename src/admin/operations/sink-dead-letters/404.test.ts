import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a sink that is not configured has no dead letters',
  withAdmin((admin) =>
    admin
      .refuses('sink-dead-letters', { params: { name: 'nobody' } }, { status: 404, code: 'admin.not-found' })
      .then(() => undefined),
  ),
)
