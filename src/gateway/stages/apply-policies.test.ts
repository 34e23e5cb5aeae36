import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { requirePolicy } from '../../access/index.ts'
import type { JsonValue } from '../../domain/json.ts'
import { type StartedGateway, startGateway, testRoute } from '../harness/start-gateway.ts'
import { compilePlans, pipeline } from '../pipeline.ts'

async function start(t: TestContext, policies: Readonly<Record<string, string>>): Promise<StartedGateway> {
  const rig = await startGateway({
    routes: [testRoute('sandbox', ['sandbox']), testRoute('secret', ['sandbox'])],
    config: {
      policies: [
        {
          organizationId: 'org_a',
          organization: 'acme',
          policies: Object.entries(policies).map(([name, text]) => ({
            name,
            json: requirePolicy({ name, text }) as unknown as JsonValue,
          })),
          applications: [{ id: 'app_a', slug: 'shop', team: '' }],
          products: [{ id: 'prd_a', slug: 'chat' }],
        },
      ],
    },
  })
  t.after(() => rig.stop())
  return rig
}

async function ask({ url, apiKey }: StartedGateway, path: string, body?: object) {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const sent = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
  const answer = await fetch(`${url}${path}`, sent)
  return { status: answer.status, text: await answer.text() }
}

const messages = [{ role: 'user', content: 'hello' }]
const chat = (rig: StartedGateway, own: object = {}) =>
  ask(rig, '/v1/chat/completions', { model: 'sandbox', messages, ...own })

const all = 'permit (principal, action, resource);'
const noSecret = 'forbid (principal, action, resource == ModelRoute::"secret");'

test('the decision goes to the record with its policies; the caller learns of none', async (t) => {
  const rig = await start(t, { all, noSecret })
  assert.equal((await chat(rig)).status, 200)
  const denied = await chat(rig, { model: 'secret' })
  assert.equal(denied.status, 403)
  assert.ok(denied.text.includes('access.policy-denied'), denied.text)
  assert.doesNotMatch(denied.text, /noSecret/)
  assert.deepEqual(
    rig.records.map(({ status, policies }) => [status, policies]),
    [
      [200, ['all']],
      [403, ['noSecret']],
    ],
  )
})

test('nothing is allowed that no policy permits', async (t) => {
  const rig = await start(t, {
    list: 'permit (principal, action in Action::"list", resource);',
    other: 'permit (principal in Application::"bot", action, resource);',
  })
  assert.equal((await chat(rig)).status, 403)
  const models = await ask(rig, '/v1/models')
  assert.equal(models.status, 200)
  assert.deepEqual(JSON.parse(models.text).data, [])
})

test('a forbidden model is not listed, and no other way of naming it is open', async (t) => {
  const rig = await start(t, { all, noSecret })
  const { data } = JSON.parse((await ask(rig, '/v1/models')).text) as { data: { id: string }[] }
  assert.deepEqual(
    data.map(({ id }) => id),
    ['sandbox'],
  )
  assert.equal((await chat(rig, { models: ['secret'] })).status, 400)
  const tools = [{ type: 'image_generation', model: 'secret' }]
  assert.equal((await ask(rig, '/v1/responses', { model: 'sandbox', input: 'x', tools })).status, 403)
  const batch = { input_file_id: 'f', endpoint: '/v1/chat/completions', completion_window: '24h' }
  const sent = await ask(rig, '/v1/batches', batch)
  assert.equal(sent.status, 403)
  assert.match(sent.text, /access\.policy-denied/)
})

test('where no organization has policies the stage is not there', () => {
  const off = compilePlans(pipeline, {
    contentLog: null,
    tracing: null,
    policies: null,
    guards: null,
    keepsResponses: false,
    events: null,
    bounds: { loopDelayMs: 0 } as never,
    limits: { addresses: null, rules: null } as never,
  })
  assert.equal(
    off.byClass.G.request.some(({ name }) => name === 'apply-policies'),
    false,
  )
})
