/** Guards through a real gateway: what is masked or blocked, in both directions and every dialect, on streams too. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLargeBodyReader } from '../../compose/large-body-reader.ts'
import type { GuardRule } from '../../domain/guards.ts'
import { anyMatch, guardOf } from '../../inspection/harness/guard-samples.ts'
import { checkedToken, seeded } from '../../inspection/harness/secret-samples.ts'
import { rigForTests } from '../harness/gateway-rig.ts'
import { testDeployment, testRoute } from '../harness/start-gateway.ts'

const rig = rigForTests((upstream) => ({
  largeBodies: createLargeBodyReader({ idleMs: 50 }),
  deployments: [
    testDeployment({ id: 'box', providerId: 'sandbox' }),
    testDeployment({ id: 'up', providerId: 'openai', baseUrl: upstream.url, secrets: { apiKey: 'k' } }),
    testDeployment({
      id: 'claude',
      providerId: 'anthropic',
      baseUrl: upstream.url,
      secrets: { apiKey: 'k' },
    }),
  ],
  routes: [
    testRoute('sandbox', ['box']),
    testRoute('gpt', ['up'], 'gpt-4o'),
    testRoute('claude', ['claude'], 'claude'),
  ],
}))

const token = checkedToken('ghp_', seeded(23))
const label = '[secrets:github-personal-token]'

function guard(...owns: readonly Partial<GuardRule>[]): void {
  const { gateway, config } = rig.started
  gateway.apply({ type: 'config', config: { ...config, guards: owns.map(guardOf) } })
}
const record = () => rig.started.records.at(-1)

interface Surface {
  readonly path: string
  readonly body: (text: string) => object
  /** The word of the dialect for an answer that was cut by a filter. */
  readonly filtered: RegExp
}

const surfaces: Readonly<Record<string, Surface>> = {
  'openai-chat': {
    path: '/v1/chat/completions',
    body: (text) => ({ model: 'sandbox', messages: [{ role: 'user', content: text }] }),
    filtered: /"finish_reason":"content_filter"/,
  },
  'openai-responses': {
    path: '/v1/responses',
    body: (text) => ({ model: 'sandbox', input: text }),
    filtered: /"reason":"content_filter"/,
  },
  'anthropic-messages': {
    path: '/v1/messages',
    body: (text) => ({ model: 'sandbox', max_tokens: 500, messages: [{ role: 'user', content: text }] }),
    filtered: /"stop_reason":"refusal"/,
  },
  gemini: {
    path: '/v1beta/models/sandbox:generateContent',
    body: (text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
    filtered: /"finishReason":"SAFETY"/,
  },
}

describe('in every dialect', () => {
  for (const [name, { path, body, filtered }] of Object.entries(surfaces)) {
    const say = (stream: boolean) =>
      rig.call(stream ? path.replace(':generateContent', ':streamGenerateContent?alt=sse') : path, {
        body: {
          ...body(`sandbox: say=here is ${token} for you`),
          ...(stream && name !== 'gemini' ? { stream } : {}),
        },
      })

    test(`${name}: a request that holds a secret is refused in the dialect's own form`, async () => {
      guard({ action: 'block', places: ['request'] })
      const refused = await say(false)
      assert.deepEqual(
        [refused.status, record()?.fault, record()?.outcome],
        [400, 'guard.request-blocked', 'refused'],
      )
      assert.equal(refused.headers['x-gatewright-findings'], 'secrets;place=request;action=block;count=1')
      assert.ok(!refused.text.includes(token))
      assert.deepEqual(
        record()?.findings?.map(({ guard: by, rule }) => [by, rule]),
        [['sample', 'github-personal-token']],
      )
      assert.ok(!JSON.stringify([record(), rig.started.notes]).includes(token.slice(4)))
    })

    for (const stream of [false, true]) {
      const kind = stream ? 'a streamed answer' : 'an answer'
      test(`${name}: ${kind} is masked, and ends well`, async () => {
        for (const streaming of ['cut', 'hold'] as const) {
          guard({ places: ['response'], streaming })
          const answer = await say(stream)
          assert.equal(answer.status, 200, answer.text)
          assert.ok(!answer.text.includes(token.slice(4, 30)), 'the secret is there')
          const text = stream ? textOf(answer.text) : answer.text
          assert.ok(text.includes(`here is ${label} for you`), text)
          assert.doesNotMatch(answer.text, filtered)
          assert.deepEqual([record()?.outcome, record()?.fault], ['completed', ''])
        }
      })

      test(`${name}: ${kind} that is blocked ends with the dialect's word for it`, async () => {
        guard({ action: 'block', places: ['response'] })
        const answer = await say(stream)
        assert.equal(answer.status, 200)
        assert.match(answer.text, filtered)
        assert.ok(!answer.text.includes(token.slice(4, 30)))
        assert.deepEqual([record()?.fault, record()?.findings?.length], ['guard.answer-blocked', 1])
      })
    }
  }
})

/** The text of a stream, whatever its events look like. */
function textOf(events: string): string {
  let text = ''
  for (const line of events.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const found = /"(?:content|delta|text)":("(?:[^"\\]|\\.)*")/.exec(line)
    if (found?.[1] !== undefined && !/"type":"response\.(?!output_text\.delta)/.test(line))
      text += JSON.parse(found[1]) as string
  }
  return text
}

describe('what reaches the provider', () => {
  const chat = (content: string, own: object = {}) =>
    rig.chat({ messages: [{ role: 'user', content }], ...own })
  const sent = () => rig.upstream.requests.at(-1)?.body.toString() ?? ''

  test('is masked where a secret stood, and the same bytes everywhere else', async () => {
    guard({ places: ['request'] })
    const body = `{"model": "gpt",\t"messages":[{"role":"user","content":"sandbox: say=x ${token} é"}], "seed": 1.0}`
    await rig.call('/v1/chat/completions', { body })
    assert.equal(sent(), body.replace(token, label).replace('"gpt"', '"gpt-4o"'))
  })

  test('is the same bytes where nothing is found, and where guards only tell', async () => {
    for (const own of [{}, { action: 'flag' }, { action: 'block', mode: 'shadow' }] as const) {
      guard({ places: ['request'], ...own })
      const text = 'action' in own ? `sandbox: say=x ${token}` : 'sandbox: say=x'
      const answer = await chat(text)
      assert.ok(sent().includes(text))
      const told = answer.headers['x-gatewright-findings']
      assert.equal(
        told,
        own === undefined || !('action' in own) || own.action === 'block'
          ? undefined
          : 'secrets;place=request;action=flag;count=1',
      )
    }
    assert.equal(record()?.findings?.[0]?.mode, 'shadow')
  })

  test('is masked behind a translation as well, and for large bodies', async () => {
    guard({ places: ['request'] })
    await chat(`sandbox: say=x ${token}`, { model: 'claude', max_tokens: 5 })
    assert.ok(sent().includes(label) && !sent().includes(token))
    const answer = await chat(`${'a word or two '.repeat(50_000)}${token}`, { metadata: { note: 'x' } })
    assert.equal(answer.status, 200)
    assert.ok(sent().length > 600_000 && sent().includes(label) && !sent().includes(token))
  })

  test('what the caller says about itself is masked in records too', async () => {
    guard({})
    await chat('sandbox: say=x', { user: token, metadata: { note: token } })
    assert.deepEqual([record()?.endUser, record()?.tags['note']], [label, label])
    guard({ action: 'block' })
    await chat('sandbox: say=x', { metadata: { note: token } })
    assert.ok(!JSON.stringify(record()).includes(token))
  })
})

describe('which guards hold', () => {
  test('is told by application, product, route, model and key; all that are named must match', async () => {
    const ask = () =>
      rig.chat({ model: 'gpt', messages: [{ role: 'user', content: `sandbox: say=x ${token}` }] })
    const { keyId } = rig.started
    const cases: readonly (readonly [Partial<GuardRule['match']>, number])[] = [
      [{}, 400],
      [{ applications: ['app_a'] }, 400],
      [{ applications: ['app_b'] }, 200],
      [{ routes: ['gp*'], models: ['gpt'], keys: [keyId] }, 400],
      [{ routes: ['gp*'], keys: ['other'] }, 200],
      [{ models: ['claude'] }, 200],
      [{ products: ['prd_none'] }, 200],
    ]
    for (const [match, status] of cases) {
      guard({ action: 'block', places: ['request'], match: { ...anyMatch, ...match } })
      assert.equal((await ask()).status, status, JSON.stringify(match))
    }
    guard({ action: 'block', organizationId: 'org_b' })
    assert.equal((await ask()).status, 200)
  })

  test('a kind that is not known refuses the snapshot, and the one before holds', async () => {
    guard({ action: 'block', places: ['request'] })
    const unknown = [
      { detector: 'astrology' },
      { action: 'tokenize' },
      { mode: 'dream' },
      { places: ['elsewhere'] },
      { places: [] },
      { rules: ['no-such-rule'] },
      { threshold: 2 },
    ] as unknown as readonly Partial<GuardRule>[]
    for (const own of unknown) assert.throws(() => guard(own), /sample/, JSON.stringify(own))
    const answer = await rig.chat({ messages: [{ role: 'user', content: token }] })
    assert.equal(answer.faultCode, 'guard.request-blocked')
  })

  test('an answer that is no JSON is looked at as one text; bytes that are no text pass as they are', async () => {
    guard({ action: 'mask', places: ['response'] })
    for (const body of [`{"choices":[${token}`, `key: ${token}`, `[{"a": "${token}"}]`]) {
      rig.upstream.failNext({ kind: 'status', status: 200, body })
      const answer = await rig.chat({ model: 'gpt' })
      assert.equal(answer.text, body.replace(token, label))
    }
    guard({ action: 'block', places: ['response'] })
    rig.upstream.failNext({ kind: 'status', status: 200, body: token })
    assert.ok(!(await rig.chat({ model: 'gpt' })).text.includes(token))
  })

  test('streams that have no events that are known are refused rather than let through', async () => {
    guard({ action: 'mask' })
    const body = { model: 'sandbox', prompt: 'hello', stream: true }
    const refused = await rig.call('/v1/completions', { body })
    assert.equal(refused.faultCode, 'guard.stream-not-inspected')
    assert.equal((await rig.call('/v1/completions', { body: { ...body, stream: false } })).status, 200)
  })
})
