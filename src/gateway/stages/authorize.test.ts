import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeySnapshot, SnapshotConfig } from '../../domain/snapshot.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'

const sandbox = testDeployment({ id: 'sandbox', providerId: 'sandbox' })
const foreign = testDeployment({ id: 'foreign', providerId: 'sandbox', organizationId: 'org_b' })
const rig = rigForTests(() => ({
  deployments: [sandbox, foreign],
  routes: [
    { ...testRoute('gpt', ['sandbox']), aliases: ['gpt-latest'] },
    testRoute('claude', ['sandbox']),
    testRoute('openai/*', ['sandbox']),
    { ...testRoute('secret', ['foreign']), organizationId: 'org_b' },
    { ...testRoute('gpt', ['foreign']), organizationId: 'org_b' },
  ],
}))

type Grant = SnapshotConfig['applications'][number]['grants'][number]
const grant = (models: readonly string[], operations: readonly string[]): Grant => ({
  productId: 'prd_a',
  models,
  operations,
  planId: null,
})

function setGrants(grants: readonly Grant[], organizationId = 'org_a'): void {
  const { gateway, config } = rig.started
  const applications = [{ id: 'app_a', organizationId, team: '', grants }]
  gateway.apply({ type: 'config', config: { ...config, version: config.version + 1, applications } })
}

function setKey(own: Partial<KeySnapshot>): void {
  const { gateway, key } = rig.started
  gateway.apply({ type: 'keys', version: 2, reset: true, upsert: [{ ...key, ...own }], remove: [] })
}

const everything = [grant(['*'], ['*'])]
const chat = (model: string) => rig.chat({ model })
const listed = async (): Promise<string[]> => {
  const { data } = (await rig.call('/v1/models')).json() as { data: { id: string }[] }
  return data.map(({ id }) => id)
}

test('an application without subscriptions may do nothing', async () => {
  setKey({})
  setGrants([])
  for (const answer of [await chat('gpt'), await rig.call('/v1/models'), await rig.call('/v1/files')]) {
    assert.deepEqual([answer.status, answer.faultCode], [403, 'access.operation-denied'])
  }
})

test('a key of an application that the snapshot does not know may do nothing', async () => {
  setGrants(everything)
  setKey({ applicationId: 'app_gone' })
  assert.equal((await chat('gpt')).faultCode, 'access.operation-denied')
})

test('operation and model must stand in one grant: two halves make no whole', async () => {
  setKey({})
  setGrants([grant(['gpt'], ['embeddings']), grant(['claude'], ['chat.completions'])])
  assert.equal((await chat('claude')).status, 200)
  assert.equal((await chat('gpt')).faultCode, 'access.model-not-found')
  assert.equal((await rig.call('/v1/moderations', { body: { model: 'gpt', input: 'x' } })).status, 403)
})

test("a key's own scopes only narrow what the subscriptions allow", async () => {
  setGrants([grant(['gpt'], ['*'])])
  setKey({ models: ['*'], operations: ['chat.*'] })
  assert.equal((await chat('gpt')).status, 200)
  assert.equal((await chat('claude')).status, 404, 'the key cannot widen')
  assert.equal((await rig.call('/v1/models')).status, 403, 'an operation beyond the scope of the key')
  setKey({ models: ['claude'] })
  assert.equal((await chat('gpt')).status, 404)
  setKey({ models: [] })
  assert.equal((await chat('gpt')).status, 404, 'an empty list is nothing, not everything')
})

test('a model that is absent and one that is not allowed are told the same', async () => {
  setKey({})
  setGrants([grant(['gpt'], ['*'])])
  const [absent, denied] = await Promise.all([chat('nope'), chat('claude')])
  const plain = (text: string): string => text.replace(/req_\w+/, '').replace(/nope|claude/g, 'it')
  assert.equal(absent?.status, 404)
  assert.equal(plain(absent?.text ?? '0'), plain(denied?.text ?? '1'))
})

test('an alias is judged by the name of its route', async () => {
  setKey({})
  setGrants([grant(['gpt'], ['*'])])
  assert.equal((await chat('gpt-latest')).status, 200)
  setGrants([grant(['gpt-latest'], ['*'])])
  assert.equal((await chat('gpt-latest')).status, 404)
})

test('/v1/models shows what the key may use and nothing else', async () => {
  setKey({})
  setGrants(everything)
  assert.deepEqual(await listed(), ['claude', 'gpt', 'gpt-latest'])
  setGrants([grant(['claude'], ['*'])])
  assert.deepEqual(await listed(), ['claude'])
  assert.equal((await rig.call('/v1/models/claude')).json()['id'], 'claude')
  assert.equal((await rig.call('/v1/models/gpt')).faultCode, 'access.model-not-found')
  const anthropic = await rig.call('/v1/models', { headers: { 'anthropic-version': '2023-06-01' } })
  assert.deepEqual([anthropic.json()['first_id'], anthropic.json()['has_more']], ['claude', false])
})

test('one organization sees neither models nor deployments of another', async () => {
  setKey({})
  setGrants(everything)
  assert.equal((await chat('secret')).status, 404)
  assert.equal((await chat('gpt')).headers['x-gatewright-deployment'], 'sandbox')
  setKey({ organizationId: 'org_b' })
  setGrants(everything, 'org_b')
  assert.equal((await chat('gpt')).headers['x-gatewright-deployment'], 'foreign')
  assert.deepEqual(await listed(), ['gpt', 'secret'])
  assert.equal((await chat('claude')).status, 404)
})

test('a method that a path does not take is 405, a path that is none is 404', async () => {
  assert.equal((await rig.call('/v1/chat/completions')).status, 405)
  assert.equal((await rig.call('/v1/nothing')).status, 404)
  assert.equal((await rig.call('/v1/chat/completions/', { body: {} })).status, 404)
})
