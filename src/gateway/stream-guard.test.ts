import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dialects } from '../providers/index.ts'
import { createStreamGuard } from './stream-guard.ts'

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const guardFor = () => createStreamGuard(dialects['openai-chat'])
const kindOf = (verdict: ReturnType<ReturnType<typeof guardFor>['push']>): string =>
  typeof verdict === 'string' ? verdict : verdict.kind

test('text, a tool call and the end of an empty answer are content; a role, a comment and figures are not', () => {
  const call = {
    tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }],
  }
  for (const [bytes, expected] of [
    [chunk({ content: 'Hi' }), 'content'],
    [chunk({ reasoning_content: 'Hm' }), 'content'],
    [chunk(call), 'content'],
    [chunk({}, 'content_filter'), 'content'],
    [chunk({ role: 'assistant', content: '' }), 'wait'],
    [': ping\n\n', 'wait'],
    ['data: {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}\n\n', 'wait'],
    ['data: {"error":{"message":"x","type":"server_error"}}\n\n', 'upstream'],
    ['data: {"error":{"message":"x","code":429}}\n\n', 'rate-limit'],
    ['data: {"brok\n\n', 'upstream'],
    ['data: [DONE]\n\n', 'upstream'],
  ] as const)
    assert.equal(kindOf(guardFor().push(Buffer.from(bytes))), expected, bytes)
})

test('at most 64 chunks and 256 KiB are held; what has said nothing by then is passed on', () => {
  const many = guardFor()
  for (let each = 1; each < 64; each += 1) assert.equal(many.push(Buffer.from(': x\n\n')), 'wait')
  assert.equal(many.push(Buffer.from(': x\n\n')), 'content')
  assert.equal(many.take().length, 64)
  const large = guardFor()
  assert.equal(large.push(Buffer.from(`: ${'x'.repeat(200_000)}\n\n`)), 'wait')
  assert.equal(large.push(Buffer.from(`: ${'x'.repeat(100_000)}\n\n`)), 'content')
})

test('property: however a stream is cut, the same verdict, and every byte is given back once and in order', () => {
  const stream = Buffer.from(
    `: ping\n\n${chunk({ role: 'assistant', content: '' })}${chunk({ content: 'Hello' })}${chunk({}, 'stop')}data: [DONE]\n\n`,
  )
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: stream.length }), { maxLength: 12 }), (cuts) => {
      const guard = guardFor()
      const edges = [...new Set([0, ...cuts, stream.length])].sort((a, b) => a - b)
      let verdict = 'wait'
      let pushed = 0
      for (let index = 1; index < edges.length && verdict === 'wait'; index += 1) {
        verdict = kindOf(guard.push(stream.subarray(edges[index - 1], edges[index])))
        pushed = edges[index] ?? 0
      }
      assert.equal(verdict, 'content')
      assert.deepEqual(Buffer.concat(guard.take()), stream.subarray(0, pushed))
      assert.deepEqual(guard.take(), [])
    }),
  )
})

test('fuzz: any bytes in any dialect have a verdict', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(dialects)),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      (dialect, pieces) => {
        const guard = createStreamGuard(dialect)
        for (const piece of pieces) {
          const verdict = guard.push(Buffer.from(piece))
          if (verdict !== 'wait') return
        }
        const end = guard.end()
        assert.ok(end === 'content' || typeof end.kind === 'string')
      },
    ),
  )
})
