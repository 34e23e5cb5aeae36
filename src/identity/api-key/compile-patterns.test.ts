import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePatterns, isPattern, maxPatterns, patternsMeet } from './compile-patterns.ts'

test('null admits every name, an empty list none', () => {
  assert.equal(compilePatterns(null)('anything'), true)
  assert.equal(compilePatterns([])('anything'), false)
})

test('a name matches exactly or by a prefix before the star', () => {
  const matches = compilePatterns(['gpt-4o', 'openai/*'])
  for (const name of ['gpt-4o', 'openai/', 'openai/gpt']) assert.equal(matches(name), true, name)
  for (const name of ['gpt-4o-mini', 'GPT-4o', 'openai', 'xopenai/gpt', '', '*', 'constructor']) {
    assert.equal(matches(name), false, name)
  }
  assert.equal(compilePatterns(['a', '*'])('b'), true)
  assert.equal(compilePatterns(['a'])('__proto__'), false)
})

test('a malformed or overlong list is refused', () => {
  for (const pattern of ['', 'a*b', '**', '*a']) {
    assert.equal(isPattern(pattern), false)
    assert.throws(() => compilePatterns([pattern]), RangeError)
  }
  assert.throws(() => compilePatterns(Array(maxPatterns + 1).fill('a')), RangeError)
})

test('two patterns meet where some name fits both', () => {
  for (const [a, b, expected] of [
    ['gpt', 'gpt', true],
    ['gpt', 'gpt-5', false],
    ['gpt-*', 'gpt-5', true],
    ['gpt-*', 'gpt', false],
    ['gpt-*', 'gpt-4*', true],
    ['gpt-*', 'claude-*', false],
    ['*', 'gpt-*', true],
  ] as const) {
    assert.equal(patternsMeet(a, b), expected, `${a} ${b}`)
    assert.equal(patternsMeet(b, a), expected, `${b} ${a}`)
  }
})
