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

test(
  'what the data plane could not use is refused, so that it cannot hold up the configuration of others',
  withAdmin(async (admin) => {
    const credential = { secrets: { apiKey: 'sk-1' } }
    const bodies = [
      { slug: 'x', provider: 'openai' },
      { slug: 'x', provider: 'openai', credential: { secrets: { apiKey: 'sk\r\nx-injected: 1' } } },
      { slug: 'x', provider: 'openai', dialect: 'gemini', credential },
      { slug: 'x', provider: 'bedrock', credential: { secrets: { accessKeyId: 'a', secretAccessKey: 'b' } } },
      { slug: 'x', provider: 'azure-openai', settings: { resource: 'evil.example/' }, credential },
    ]
    for (const body of bodies) {
      const answer = await admin.call('deployment-create', { body })
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.ok(!/sk-1|injected/.test(answer.text))
    }
    const off = { slug: 'x', provider: 'openai', enabled: false }
    assert.equal((await admin.call('deployment-create', { body: off })).status, 201)
    const on = { params: { id: 'x' }, body: { enabled: true } }
    await admin.refuses('deployment-update', on, { status: 400, code: 'config.invalid' })
  }),
)
