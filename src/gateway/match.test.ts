import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { operations } from '../domain/operations.ts'
import { matchOperation } from './match.ts'

const idOf = (method: string, path: string): string | null => {
  const found = matchOperation(method, path)
  return 'operation' in found ? found.operation.id : null
}

test('every operation is found under each of its paths', () => {
  for (const operation of operations) {
    for (const path of [operation.path, ...operation.otherPaths]) {
      const concrete = path.replace('{model}', 'some-model').replace('{rest}', 'id-1')
      assert.equal(idOf(operation.method, concrete), operation.id, concrete)
    }
  }
})

test('a model in a path is decoded; one that holds control characters or nothing is no model', () => {
  const modelOf = (raw: string): string | null => {
    const found = matchOperation('POST', `/v1beta/models/${raw}:generateContent`)
    return 'operation' in found ? found.model : null
  }
  assert.equal(modelOf('gemini-pro'), 'gemini-pro')
  assert.equal(modelOf('openai%2Fgpt-4o'), 'openai/gpt-4o')
  assert.equal(modelOf('models%2Fx'), 'models/x')
  for (const raw of ['', '%00', 'a%0d%0ab', '%', '%zz', 'caf%C3%A9', 'a%20b', 'x'.repeat(201)]) {
    assert.equal(modelOf(raw), null, raw)
  }
})

test('a remainder is ids and sub-resources: no dots as segments, no escapes, no empty segments', () => {
  for (const rest of ['file-1', 'file-1/content', 'a/b/c/d', 'a.b-c_d']) {
    assert.equal(idOf('GET', `/v1/files/${rest}`), 'files.get', rest)
  }
  for (const rest of [
    '..',
    '.',
    'a/..',
    'a//b',
    '/a',
    'a/',
    'a%2fb',
    'a?b',
    'a\\b',
    'a;b',
    'é',
    'a/b/c/d/e',
    '',
  ]) {
    assert.equal(idOf('GET', `/v1/files/${rest}`), null, rest)
  }
})

test('a path that exists under another method tells which', () => {
  const found = matchOperation('DELETE', '/v1/chat/completions')
  assert.deepEqual('allow' in found ? [...found.allow] : null, ['POST'])
  const files = matchOperation('PUT', '/v1/files/x')
  assert.deepEqual('allow' in files ? [...files.allow].sort() : null, ['DELETE', 'GET'])
  const absent = matchOperation('GET', '/nothing')
  assert.deepEqual('allow' in absent ? [...absent.allow] : null, [])
})

test('property: whatever the path, the remainder that goes upstream has one meaning', () => {
  const piece = fc.constantFrom(
    '..',
    '.',
    '/',
    '%2e',
    '%2f',
    'a',
    'content',
    '\\',
    '?',
    '#',
    ';',
    ' ',
    '\u0000',
    'é',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const found = matchOperation('GET', `/v1/files/${pieces.join('')}`)
      if (!('operation' in found)) return
      assert.equal(new URL(`http://h/${found.rest}`).pathname, `/${found.rest}`)
      assert.doesNotMatch(found.rest, /%|\\|\/\/|(?:^|\/)\.\.?(?:\/|$)/)
    }),
    { numRuns: 2000 },
  )
})
