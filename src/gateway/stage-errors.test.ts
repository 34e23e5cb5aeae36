/** Nothing internal leaves: an error with a secret in it, thrown in any stage, in any class, shows nothing of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import { requirePolicy } from '../access/index.ts'
import type { JsonValue } from '../domain/json.ts'
import type { TracingTerms } from '../domain/tracing.ts'
import { guardOf } from '../inspection/harness/guard-samples.ts'
import { startGateway, testRoute } from './harness/start-gateway.ts'
import { testLimit } from './harness/test-limit.ts'
import { pipeline } from './pipeline.ts'

const secret = 'hunter2-postgres://root:swordfish@db'

const calls = [
  { path: '/v1/chat/completions', body: { model: 'sandbox', messages: [{ role: 'user', content: 'x' }] } },
  {
    path: '/v1/messages',
    body: { model: 'sandbox', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] },
  },
  { path: '/v1beta/models/sandbox:generateContent', body: { contents: [{ parts: [{ text: 'x' }] }] } },
  { path: '/v1/embeddings', body: { model: 'sandbox', input: 'x' } },
  { path: '/v1/models', body: null },
  { path: '/livez', body: null },
] as const

/** Wide enough for all calls. */
const limits = [
  testLimit({ id: 'requests', amount: 100 }),
  testLimit({ id: 'addresses', amount: 100, per: ['address'] }),
]
const tracing: TracingTerms = {
  parents: 'follow',
  ratio: 1,
  rules: [],
  keepsErrors: true,
  stages: true,
  references: true,
  context: 'all',
  state: 'all',
  deployments: [],
}
const everything = requirePolicy({ name: 'all', text: 'permit (principal, action, resource);' })
const policies = [
  {
    organizationId: 'org_a',
    organization: 'acme',
    policies: [{ name: 'all', json: everything as unknown as JsonValue }],
    applications: [{ id: 'app_a', slug: 'shop', team: '' }],
    products: [{ id: 'prd_a', slug: 'chat' }],
  },
]
/** A route with everything on. */
const keeping = { ...testRoute('sandbox', ['sandbox']), policy: { cache: { ttlMs: 1000 } } }

/** Where the record fails, answers would wait for it: held-answers.test.ts. */
const durable = { events: { exchanges: 'durable', security: 'group' } as const }

for (const stage of pipeline) {
  test(`an error with a secret, thrown in ${stage.name}, is an internal fault to the caller or skipped, and no more`, async (t) => {
    const table = pipeline.map((row) =>
      row.name === stage.name
        ? {
            ...row,
            run: () => {
              throw new Error(secret)
            },
          }
        : row,
    )
    const started = await startGateway({
      table,
      routes: [keeping],
      bounds: { loopDelayMs: 60_000 },
      config: {
        contentLog: { maxBytes: 1024 },
        limits,
        tracing,
        guards: [guardOf({ action: 'flag' })],
        policies,
        ...(stage.name === 'record' ? {} : durable),
      },
    })
    t.after(() => started.stop())
    let met = 0
    for (const { path, body } of calls) {
      const response = await request(`${started.url}${path}`, {
        method: body === null ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${started.apiKey}`, 'content-type': 'application/json' },
        body: body === null ? null : JSON.stringify(body),
      })
      const text = await response.body.text()
      assert.doesNotMatch(text + JSON.stringify(response.headers), /hunter2|swordfish|\.ts:|node:/)
      if (response.statusCode === 500) {
        met += 1
        assert.match(text, /Something went wrong on our side/)
      }
    }
    if (stage.onError === 'allow') assert.equal(met, 0, 'the stage is skipped')
    else assert.ok(stage.name === 'count-tokens' || met > 0, 'the error was met')
    assert.doesNotMatch(JSON.stringify([started.notes, started.records, started.traces]), /hunter2|swordfish/)
  })
}
