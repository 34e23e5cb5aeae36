/**
 * Secrets put through every field of a request are in nothing that is told of it: process log, metrics, traces, and
 * events in every form in which they leave (as they are, ECS, OCSF, CEF, LEEF, syslog, OTLP, Sentinel, live view). Of
 * the fields that callers fill and that are told (model, end user) what looks like a key is cut.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OversightEvent } from '../domain/oversight-event.ts'
import {
  cefLine,
  ecsDocument,
  eventOfRefusal,
  eventsOfRecord,
  leefLine,
  ocsfDocument,
  otlpRecord,
  sanitiseEvent,
  sentinelRecord,
  syslogMessage,
  usageEventOf,
} from '../events/index.ts'
import { createMetrics } from '../telemetry/index.ts'
import { encodeOtlpJson } from '../tracing/otlp-json.ts'
import { spansOfRecord } from '../tracing/spans-of-record.ts'
import { type CallOptions, rigForTests } from './harness/gateway-rig.ts'
import { openMetricFigures } from './harness/metric-figures.ts'
import { testDeployment, testRoute } from './harness/start-gateway.ts'

const memory = createMetrics(1)
const { scrape } = openMetricFigures(memory)
const everything = ['*']
const rig = rigForTests((upstream) => ({
  metrics: memory,
  deployments: [
    testDeployment({
      id: 'main',
      providerId: 'openai',
      secrets: { apiKey: 'sk-test-0001' },
      baseUrl: upstream.url,
    }),
  ],
  routes: [testRoute('gpt', ['main'], 'gpt-4o'), testRoute('any-*', ['main'])],
  config: {
    events: { exchanges: 'group', security: 'group' },
    tracing: {
      parents: 'follow',
      ratio: 1,
      rules: [],
      keepsErrors: true,
      stages: true,
      references: false,
      context: 'all',
      state: 'all',
      deployments: everything,
    },
  },
}))

const forms: Readonly<Record<string, (event: OversightEvent) => string>> = {
  asItIs: (event) => JSON.stringify(event),
  live: (event) => JSON.stringify(sanitiseEvent(event)),
  ecs: ecsDocument,
  ocsf: ocsfDocument,
  cef: cefLine,
  leef: leefLine,
  syslog: (event) => syslogMessage(event, { hostname: 'gw', payload: ecsDocument }),
  otlp: otlpRecord,
  sentinel: sentinelRecord,
}

/** Everything that is told of what was called since the test began. */
function toldTexts(): readonly (readonly [name: string, text: string])[] {
  const { records, refusals, traces, notes } = rig.started
  const events = [
    ...records.flatMap((record) => [...eventsOfRecord(record), usageEventOf(record)]),
    ...refusals.map((refusal) => eventOfRefusal({ ...refusal, count: 1 })),
  ]
  assert.ok(events.length > 0)
  return [
    ...Object.entries(forms).map(([name, form]) => [name, events.map(form).join('\n')] as const),
    ['traces', encodeOtlpJson({ attributes: [] }, traces.flatMap(spansOfRecord)).toString()] as const,
    ['log', JSON.stringify(notes)] as const,
    ['metrics', scrape()] as const,
  ]
}

const chatPath = '/v1/chat/completions'
const body = (own: object) => ({ model: 'gpt', messages: [{ role: 'user', content: 'hello' }], ...own })
const ask = (own: object, headers: Readonly<Record<string, string>> = {}): [string, CallOptions] => [
  chatPath,
  { body: body(own), headers },
]

/** A request with the secret in one of its fields; the names of these are the fields. */
const places: Readonly<Record<string, (secret: string) => [path: string, options: CallOptions]>> = {
  path: (secret) => [`/v1/${secret}`, {}],
  'path of a model': (secret) => [`/v1/models/${secret}`, {}],
  'model in the path': (secret) => [
    `/v1beta/models/${secret}:generateContent`,
    { body: { contents: [{ parts: [{ text: 'a' }] }] } },
  ],
  query: (secret) => [`${chatPath}?key=${secret}&${secret}=1`, { body: body({}) }],
  method: (secret) => [chatPath, { method: secret.replaceAll(/[^A-Za-z0-9]/g, '') }],
  authorization: (secret) => ask({}, { authorization: `Bearer ${secret}` }),
  'authorization of no scheme': (secret) => ask({}, { authorization: secret }),
  'x-api-key': (secret) => [
    '/v1/messages',
    { body: body({ max_tokens: 5 }), headers: { 'x-api-key': secret }, authorized: false },
  ],
  ...Object.fromEntries(
    [
      'cookie',
      'user-agent',
      'referer',
      'origin',
      'host',
      'forwarded',
      'x-forwarded-for',
      'x-request-id',
      'traceparent',
      'tracestate',
      'baggage',
      'idempotency-key',
      'x-gatewright-tags',
      'openai-organization',
      'accept',
      'content-type',
      'content-encoding',
      'x-unknown',
    ].map((name) => [name, (secret: string) => ask({}, { [name]: secret })]),
  ),
  'name of a header': (secret) =>
    ask({}, { [`x-${secret}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')]: 'a' }),
  'no JSON': (secret) => [chatPath, { body: `{"model": ${secret}` }],
  message: (secret) => ask({ messages: [{ role: 'user', content: secret }] }),
  role: (secret) => ask({ messages: [{ role: secret, content: 'a' }] }),
  'name of a field': (secret) => ask({ [secret]: secret }),
  'repeated field': (secret) => [chatPath, { body: `{"model":"gpt","${secret}":1,"${secret}":2}` }],
  metadata: (secret) => ask({ metadata: { [secret]: secret, note: secret } }),
  tools: (secret) => ask({ tools: [{ type: 'function', function: { name: secret, description: secret } }] }),
  'tool of another model': (secret) => ask({ tools: [{ type: secret, model: secret }], models: [secret] }),
  'stop and schema': (secret) => ask({ stop: [secret], response_format: { type: secret } }),
  number: (secret) => ask({ temperature: secret, max_tokens: secret, stream: secret }),
  'failed call': (secret) => ask({ messages: [{ role: 'user', content: `sandbox: fail=500\n${secret}` }] }),
}

async function putThrough(names: Readonly<Record<string, (secret: string) => [string, CallOptions]>>) {
  const secrets = new Map<string, string>()
  let number = 0
  for (const [name, place] of Object.entries(names)) {
    number += 1
    const secret = `sk-proj-${number}QzW7xK3mN9vB5tR1yU8pL2`
    secrets.set(name, secret.slice(8))
    const [path, options] = place(secret)
    // What the client library or the listener does not take never becomes an exchange.
    await rig.call(path, options).catch(() => undefined)
  }
  return secrets
}

test('a secret in any field of a request is in no log line, event, trace or metric, whatever its form', async () => {
  const secrets = await putThrough(places)
  assert.ok(rig.started.records.length > 20 && rig.started.traces.length > 20)
  for (const [output, text] of toldTexts())
    for (const [field, secret] of secrets) {
      assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `${field} in ${output}`)
    }
})

test('of a key where a model or a user is named, nothing but its beginning is told', async () => {
  const secrets = await putThrough({
    model: (secret) => ask({ model: secret }),
    'model of a pattern': (secret) => ask({ model: `any-${secret}` }),
    user: (secret) => ask({ user: secret }),
    'user of a message': (secret) => [
      '/v1/messages',
      { body: { ...body({}), max_tokens: 5, metadata: { user_id: `user ${secret}` } } },
    ],
  })
  for (const [output, text] of toldTexts())
    for (const [field, secret] of secrets) assert.ok(!text.includes(secret), `${field} in ${output}`)
  assert.ok(toldTexts().some(([, text]) => text.includes('sk-…')))
})
