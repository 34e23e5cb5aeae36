import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApiKey } from '../../../identity/index.ts'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a new key is shown once, well formed, under the key id that names it',
  withAdmin(async (admin) => {
    const { body } = await admin.call('key-create', { body: { application: 'shop', name: 'web' } })
    assert.deepEqual(parseApiKey(body.secret), { environment: 'live', keyId: body.key.keyId })
    const read = await admin.call('key-get', { params: { id: body.key.id } })
    assert.deepEqual(read.body, body.key)
    assert.ok(!read.text.includes(body.secret))
  }),
)

test(
  'the application is found by slug or id, and every narrowing field is kept',
  withAdmin(async (admin) => {
    const application = await admin.call('application-get', { params: { id: 'shop' } })
    const narrow = {
      name: 'narrow',
      environment: 'test',
      models: ['gpt*'],
      operations: ['chat.completions'],
      cidrs: ['10.0.0.0/8', '2001:db8::/32'],
      expiresAt: admin.clock.now() + 1000,
    }
    const { body } = await admin.call('key-create', { body: { application: application.body.id, ...narrow } })
    const { name, environment, models, operations, cidrs, expiresAt } = body.key
    assert.deepEqual({ name, environment, models, operations, cidrs, expiresAt }, narrow)
  }),
)
