import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../../harness/with-admin.ts'

test(
  'a secret is sealed: no answer and no byte of the database shows it',
  withAdmin(async (admin) => {
    const secret = 'sk-this-must-not-be-found'
    const body = { slug: 'two', provider: 'openai', credential: { secrets: { apiKey: secret } } }
    const answer = await admin.call('deployment-create', { body })
    assert.deepEqual(answer.body.credential, { kind: 'sealed', references: null })
    const organization = (await admin.call('organization-get')).body.id
    const stored = await admin.deps.store.deployments.find(organization, 'two')
    assert.ok(stored?.credential.kind === 'sealed')
    const id = stored.credential.credentialId
    const sealed = (await admin.deps.store.credentials.get(organization, id))?.sealed ?? ''
    assert.ok(!(answer.text + sealed).includes(secret))
    const opened = await admin.deps.secretBox.open(sealed, `credential:${id}`)
    assert.deepEqual(JSON.parse(opened.toString('utf8')), { apiKey: secret })
  }),
)

test(
  'an administrator of the installation may give references and private addresses',
  withAdmin(async (admin) => {
    const body = {
      slug: 'local',
      provider: 'vllm',
      baseUrl: 'http://10.0.0.7:8000/v1',
      allowPrivateNetwork: true,
      credential: { references: { apiKey: 'env:VLLM_KEY' } },
    }
    const made = (await admin.call('deployment-create', { body })).body
    assert.deepEqual(made.credential, { kind: 'references', references: { apiKey: 'env:VLLM_KEY' } })
    assert.deepEqual((await admin.call('deployment-get', { params: { id: 'local' } })).body, made)
  }),
)
