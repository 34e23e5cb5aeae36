/** A cap that is set on a caller's behalf must never be one that the model refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ampleAnswer } from './answer-lengths.ts'

test('old models get what they take, new ones plenty, whatever stands around their names', () => {
  const expected = {
    'gpt-4o-2024-05-13': 4096,
    'gpt-4o-mini': 16_384,
    'gpt-4-turbo': 4096,
    'gpt-5.4-mini': 32_768,
    'openai/gpt-4.1': 32_768,
    o3: 32_768,
    'openai/o4-mini': 32_768,
    'claude-3-haiku-20240307': 4096,
    'us.anthropic.claude-3-5-haiku-20241022-v1:0': 8192,
    'claude-opus-4-1': 32_000,
    'gemini-2.0-flash': 8192,
    'gemini-2.5-pro': 32_768,
    'foo3-instruct': 4096,
    'a-model-of-our-own': 4096,
  }
  for (const [model, tokens] of Object.entries(expected)) assert.equal(ampleAnswer(model), tokens, model)
})
