import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlainlyLinear } from './linear-regex.ts'

const asksRecheck = [
  '^(a+)+$',
  '^(a|a)*$',
  '^a*a*$',
  'a+$',
  '^(?:a{1,99}){1,9}$',
  '^a{0,600}$',
  '(?=a+)b',
  '^(a)\\1$',
  '^a*|b*$',
]
const linear = [
  '',
  'abc',
  '^a*$',
  '^(?:a*b|c)$',
  '[a-z]{1,64}',
  '.{64}',
  '^file:/.$',
  '^(?:|x[!-~]{1,200})$',
  '^(a|b)[0-9]+c?$',
]

test('expressions that may backtrack are left to recheck', () => {
  for (const pattern of asksRecheck) assert.equal(isPlainlyLinear(pattern, ''), false, pattern)
  assert.equal(isPlainlyLinear('^a*$', 'm'), false)
})

test('expressions with one repetition without a bound, tried once, are linear; with none, anywhere', () => {
  for (const pattern of linear) assert.equal(isPlainlyLinear(pattern, 'u'), true, pattern)
})
