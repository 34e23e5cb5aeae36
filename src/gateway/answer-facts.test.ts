import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFinishReason, findResponseModel } from './answer-facts.ts'

test('the reason is found in each dialect, with spaces or without', () => {
  const found: readonly (readonly [string, string])[] = [
    ['{"choices":[{"finish_reason":"tool_calls"}]}', 'tool_calls'],
    [
      'data: {"choices":[{"finish_reason": null}]}\n\ndata: {"choices":[{"finish_reason": "stop"}]}\n\ndata: [DONE]',
      'stop',
    ],
    ['{"delta":{"stop_reason":"end_turn"}}', 'end_turn'],
    ['{"candidates":[{"finishReason": "MAX_TOKENS"}]}', 'MAX_TOKENS'],
    ['{"choices":[{"finish_reason":null}]}', ''],
    ['"eason":', ''],
    ['', ''],
  ]
  for (const [text, reason] of found) assert.equal(findFinishReason(Buffer.from(text)), reason, text)
})

test('words of a model are taken for neither', () => {
  const answer = JSON.stringify({
    id: 'x',
    choices: [{ message: { content: '{"finish_reason":"length","model":"evil"}' }, finish_reason: 'stop' }],
    model: 'late',
  })
  assert.equal(findFinishReason(Buffer.from(answer)), 'stop')
  assert.equal(findResponseModel(Buffer.from(answer)), '')
  assert.equal(findFinishReason(Buffer.from('{"finish_reason":"a secret of somebody"}')), '')
  assert.equal(findResponseModel(Buffer.from('{"model":"no name, but a sentence"}')), '')
})

test('the model is found where it stands before the content', () => {
  assert.equal(findResponseModel(Buffer.from('{"id":"a","model":"gpt-4o-2024","choices":[]}')), 'gpt-4o-2024')
  assert.equal(
    findResponseModel(
      Buffer.from('data: {"type":"message_start","message":{"model": "claude-x","content":[]}}'),
    ),
    'claude-x',
  )
  assert.equal(findResponseModel(Buffer.from('{"model":')), '')
})
