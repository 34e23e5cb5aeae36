import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a pattern with a slash is a name, and a deployment may be given by id',
  withAdmin(async (admin) => {
    const deployment = (await admin.call('deployment-get', { params: { id: 'main' } })).body.id
    const target = { deployment, model: 'gpt-5', priority: 3, weight: 0 }
    const { body } = await admin.call('route-create', { body: { name: 'openai/*', targets: [target] } })
    assert.deepEqual(body.targets, [{ ...target, deployment: 'main' }])
    assert.deepEqual((await admin.call('route-get', { params: { id: 'openai/*' } })).body, body)
  }),
)
