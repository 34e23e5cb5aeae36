import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'an address that could carry credentials, or goes unencrypted to the world, is refused',
  withAdmin(async (admin) => {
    for (const baseUrl of [
      'https://user:secret@api.example',
      'https://api.example/?key=1',
      'http://api.example',
      'ftp://api.example',
      'https://',
    ]) {
      const answer = await admin.refuses(
        'deployment-create',
        { body: { slug: 'x', provider: 'openai', baseUrl } },
        {
          status: 400,
          code: 'request.invalid-field',
          param: 'baseUrl',
        },
      )
      assert.ok(!answer.text.includes('secret'))
    }
  }),
)

test(
  'a provider without an address of its own needs one',
  withAdmin(async (admin) => {
    const refusal = { status: 400, code: 'request.missing-field', param: 'baseUrl' }
    await admin.refuses('deployment-create', { body: { slug: 'x', provider: 'openai-compatible' } }, refusal)
  }),
)
