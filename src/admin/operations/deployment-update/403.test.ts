import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a deployment with access to private networks is moved by an administrator of the installation only',
  withAdmin(async (admin) => {
    const credential = { secrets: { apiKey: 'sk-1' } }
    const local = { baseUrl: 'http://10.0.0.7/v1', allowPrivateNetwork: true, credential }
    await admin.call('deployment-create', { body: { slug: 'gpu', provider: 'openai-compatible', ...local } })
    const token = await admin.token(['write'])
    const params = { id: 'gpu' }
    const denied = { status: 403, code: 'access.scope-denied' }
    const move = { baseUrl: 'http://10.0.0.1/metadata', credential }
    await admin.refuses('deployment-update', { token, params, body: move }, denied)
    const open = { body: { allowPrivateNetwork: true }, params: { id: 'main' }, token }
    await admin.refuses('deployment-update', open, denied)
    await admin.call('deployment-update', { token, params, body: { enabled: false } })
  }),
)
