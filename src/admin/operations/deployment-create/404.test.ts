import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an unknown provider is refused by name',
  withAdmin(async (admin) => {
    const answer = await admin.refuses(
      'deployment-create',
      { body: { slug: 'x', provider: 'nobody' } },
      {
        status: 404,
        code: 'admin.not-found',
      },
    )
    assert.match(answer.body.error.message, /provider nobody/)
  }),
)
