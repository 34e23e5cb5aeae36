import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a token of another form is refused without being repeated',
  withAdmin(async (admin) => {
    for (const token of ['gws_short', 'gwa_123', `gws_${'a'.repeat(44)}`, 5]) {
      const refusal = { status: 400, code: 'request.invalid-field', param: 'token' }
      const answer = await admin.refuses('setup-exchange', { token: null, body: { token } }, refusal)
      assert.ok(!answer.text.includes(String(token)) || token === 5)
    }
  }),
)
