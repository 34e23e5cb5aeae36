import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a document is refused whole, naming line, path and reason',
  withAdmin(async (admin) => {
    const document = 'organizations:\n  - slug: initech\n    colour: red'
    const answer = await admin.refuses(
      'config-diff',
      { body: { document } },
      { status: 400, code: 'config.invalid' },
    )
    assert.match(answer.body.error.message, /:3: organizations\[0\]\.colour: is not a known key/)
  }),
)
