/** Bodies: each text is found where it stands in every dialect, and nothing but what is masked changes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { GuardRule } from '../domain/guards.ts'
import { bodyTexts, pathOf } from './body-texts.ts'
import { guardSetOf } from './harness/guard-samples.ts'
import { checkedToken, seeded } from './harness/secret-samples.ts'
import { type InspectedBody, inspectBody } from './inspect-body.ts'
import { createVerdictCache } from './verdict-cache.ts'

const token = checkedToken('ghp_', seeded(5))
const label = '[secrets:github-personal-token]'

function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

function inspect(body: Buffer, guards = guardSetOf({}), cache = createVerdictCache()): InspectedBody {
  return finish(inspectBody(body, { guards, other: 'request', organizationId: 'org_a', cache }))
}

/** Place and path of each text `… <place> …` in a body. */
function placesOf(body: object, other: 'request' | 'response' = 'request'): string[] {
  const bytes = Buffer.from(JSON.stringify(body))
  return finish(bodyTexts(bytes, other))
    .filter(({ start, end }) => bytes.toString('utf8', start, end).includes('text of'))
    .map(({ start, place }) => `${place} ${pathOf(bytes, start)}`)
}
const textOf = (what: string) => `this is the text of ${what}`

describe('places', () => {
  test('openai-chat', () => {
    const body = {
      messages: [
        { role: 'developer', content: textOf('system') },
        { role: 'user', content: [{ type: 'text', text: textOf('user') }] },
        { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: textOf('call') } }] },
        { content: textOf('result'), role: 'tool' },
      ],
    }
    assert.deepEqual(placesOf(body), [
      'system-prompt messages[0].content',
      'request messages[1].content[0].text',
      'tool-call messages[2].tool_calls[0].function.arguments',
      'tool-result messages[3].content',
    ])
  })

  test('openai-responses', () => {
    const body = {
      instructions: textOf('system'),
      input: [
        { role: 'user', content: [{ type: 'input_text', text: textOf('user') }] },
        { type: 'function_call', arguments: textOf('call') },
        { output: textOf('result'), type: 'function_call_output' },
      ],
    }
    assert.deepEqual(placesOf(body), [
      'system-prompt instructions',
      'request input[0].content[0].text',
      'tool-call input[1].arguments',
      'tool-result input[2].output',
    ])
  })

  test('anthropic-messages', () => {
    const body = {
      system: [{ type: 'text', text: textOf('system') }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'text', data: textOf('document') } },
            { type: 'tool_result', content: [{ type: 'text', text: textOf('result') }] },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', input: { query: textOf('call') } }] },
      ],
    }
    assert.deepEqual(
      placesOf(body).map((each) => each.split(' ')[0]),
      ['system-prompt', 'document', 'tool-result', 'tool-call'],
    )
  })

  test('gemini', () => {
    const body = {
      systemInstruction: { parts: [{ text: textOf('system') }] },
      contents: [
        { role: 'user', parts: [{ text: textOf('user') }] },
        { role: 'model', parts: [{ functionCall: { args: { q: textOf('call') } } }] },
        { role: 'user', parts: [{ functionResponse: { response: { r: textOf('result') } } }] },
      ],
    }
    assert.deepEqual(
      placesOf(body).map((each) => each.split(' ')[0]),
      ['system-prompt', 'request', 'tool-call', 'tool-result'],
    )
  })

  test('bedrock-converse and embeddings', () => {
    const body = {
      system: [{ text: textOf('system') }],
      messages: [
        { role: 'user', content: [{ document: { source: { text: textOf('document') } } }] },
        { role: 'assistant', content: [{ toolUse: { input: { q: textOf('call') } } }] },
        { role: 'user', content: [{ toolResult: { content: [{ text: textOf('result') }] } }] },
      ],
    }
    assert.deepEqual(
      placesOf(body).map((each) => each.split(' ')[0]),
      ['system-prompt', 'document', 'tool-call', 'tool-result'],
    )
    assert.deepEqual(placesOf({ input: [textOf('one'), textOf('two')] }), [
      'request input[0]',
      'request input[1]',
    ])
  })

  test('an answer', () => {
    const message = {
      role: 'assistant',
      content: textOf('answer'),
      tool_calls: [{ function: { arguments: textOf('call') } }],
    }
    assert.deepEqual(placesOf({ choices: [{ message }] }, 'response'), [
      'response choices[0].message.content',
      'tool-call choices[0].message.tool_calls[0].function.arguments',
    ])
  })
})

test('a body that nothing is masked in is the same bytes, and the same object', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const body = Buffer.from(JSON.stringify({ value }))
      assert.equal(inspect(body).body, body)
    }),
    { numRuns: 200 },
  )
})

test('what is masked changes its own string alone: every other byte stays, spaces and escapes included', () => {
  const before = '{ "a" :  "caf\\u00e9 \\/", "messages":[ {"role":"user", "content" : "my key: '
  const after = ' \\n."} ],\t"n": 1.50e3 }'
  const { body, findings } = inspect(Buffer.from(`${before}${token}${after}`))
  assert.equal(body.toString(), `${before}${label}${after}`)
  assert.deepEqual(
    findings.map(({ at, rule, score, start, end }) => [at, rule, score, end - start]),
    [['messages[0].content', 'github-personal-token', 1, token.length]],
  )
})

test('in unknown fields, in names of members and in arguments that are JSON themselves', () => {
  const body = {
    anything: { deep: [token] },
    [token]: 1,
    tool_calls: [{ function: { arguments: JSON.stringify({ header: `Bearer ${token}` }) } }],
  }
  const masked = inspect(Buffer.from(JSON.stringify(body)))
  assert.ok(!masked.body.includes(token))
  const parsed = JSON.parse(masked.body.toString()) as typeof body
  const call = parsed.tool_calls[0]?.function.arguments ?? ''
  assert.deepEqual(JSON.parse(call), { header: `Bearer ${label}` })
  assert.ok(
    masked.findings.every(({ at }) => !at.includes(token)),
    'a path tells what it may not',
  )
})

test('media and proofs are not touched; a document in their place is', () => {
  const noise = 'iVBORw0KGgo'.repeat(40)
  const media = { source: { type: 'base64', data: `${noise}${token}${noise}` } }
  const body = Buffer.from(JSON.stringify(media))
  assert.equal(inspect(body).body, body)
  const text = { source: { type: 'text', data: `${'a plain document. '.repeat(30)}${token}` } }
  assert.ok(!inspect(Buffer.from(JSON.stringify(text))).body.includes(token))
})

test('guards: the strongest acts, allow goes before all, shadow only tells, thresholds and rules count', () => {
  const body = Buffer.from(JSON.stringify({ input: token }))
  const outcome = (...owns: readonly Partial<GuardRule>[]) => {
    const { blockedBy, body: after, findings } = inspect(body, guardSetOf(...owns))
    return [blockedBy, after === body ? 'same' : 'masked', findings.length]
  }
  assert.deepEqual(outcome({ action: 'flag' }), [null, 'same', 1])
  assert.deepEqual(outcome({ name: 'a', action: 'mask' }, { name: 'b', action: 'block' }), ['b', 'same', 2])
  assert.deepEqual(
    outcome({ name: 'a', action: 'block' }, { name: 'b', action: 'allow', rules: ['github-*'] }),
    [null, 'same', 0],
  )
  assert.deepEqual(outcome({ action: 'block', mode: 'shadow' }), [null, 'same', 1])
  assert.deepEqual(outcome({ action: 'block', rules: ['aws-*'] }), [null, 'same', 0])
  assert.deepEqual(outcome({ action: 'block', places: ['response'] }), [null, 'same', 0])
  assert.deepEqual(outcome({ action: 'block', threshold: 1 }), ['sample', 'same', 1])
  const wrong = Buffer.from(JSON.stringify({ input: `${token.slice(0, -2)}aa` }))
  assert.equal(inspect(wrong, guardSetOf({ action: 'block', threshold: 1 })).blockedBy, null)
})

test('a text that was judged is not judged again under the same guards, and is under others', () => {
  const cache = createVerdictCache()
  const asked: string[] = []
  const watched = {
    ...cache,
    find(organizationId: string, name: string) {
      const found = cache.find(organizationId, name)
      asked.push(found === null ? 'judged' : 'known')
      return found
    },
  }
  const body = Buffer.from(JSON.stringify({ input: `${'history '.repeat(400)}${token}` }))
  const first = inspect(body, guardSetOf({}), watched)
  const again = inspect(body, guardSetOf({}), watched)
  assert.ok(first.body.equals(again.body))
  inspect(body, guardSetOf({ threshold: 0.9 }), watched)
  assert.deepEqual(asked, ['judged', 'known', 'judged'])
  const name = cache.nameOf('x'.repeat(4000), { organizationId: 'a', guardSetId: 'g', place: 'request' })
  assert.notEqual(
    name,
    createVerdictCache().nameOf('x'.repeat(4000), { organizationId: 'a', guardSetId: 'g', place: 'request' }),
  )
})

test('verdicts of one organization never speak for another, and are bounded', () => {
  const cache = createVerdictCache()
  const verdict = { findings: [], masks: [], blockedBy: 'x' }
  cache.keep('org_a', 'name', verdict)
  assert.equal(cache.find('org_b', 'name'), null)
  for (let at = 0; at < 5000; at += 1) cache.keep('org_a', String(at), verdict)
  assert.equal(cache.find('org_a', 'name'), null)
  assert.equal(cache.find('org_a', '4999'), verdict)
})

test('work gives way: no step of a large body takes long', () => {
  const texts = Array.from({ length: 40 }, (_, at) =>
    `${at} some words, and https://example.org/a?b=c `.repeat(2000),
  )
  const body = Buffer.from(JSON.stringify({ input: texts }))
  const cache = createVerdictCache()
  const work = inspectBody(body, { guards: guardSetOf({}), other: 'request', organizationId: 'o', cache })
  let steps = 0
  while (work.next().done !== true) steps += 1
  assert.ok(steps >= body.length / 20_000, `${steps} steps for ${body.length} bytes`)
})
