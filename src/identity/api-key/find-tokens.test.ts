import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mintAdminToken, mintApiKey } from './api-key-text.ts'
import { findTokens } from './find-tokens.ts'

test('keys and tokens are found whatever stands before and behind them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 80 }), (before, behind) => {
      const [live, test, admin] = [mintApiKey('live'), mintApiKey('test'), mintAdminToken()]
      const texts = [live.text, test.text, admin.text]
      const bytes = Buffer.concat([before, Buffer.from(texts.join('gwr_')), behind])
      const found = findTokens(bytes)
      assert.deepEqual(found.map(({ text }) => text).toSorted(), texts.toSorted())
      for (const { at, text } of found) assert.equal(bytes.toString('latin1', at, at + text.length), text)
    }),
    { numRuns: 100 },
  )
})

test('a key of which one character is another, or that is cut, is none', () => {
  const { text } = mintApiKey('live')
  for (let at = 4; at < text.length; at += 1) {
    const char = text[at] === 'a' ? 'b' : 'a'
    assert.deepEqual(findTokens(Buffer.from(text.slice(0, at) + char + text.slice(at + 1))), [])
  }
  assert.deepEqual(findTokens(Buffer.from(text.slice(0, -1))), [])
  assert.equal(findTokens(Buffer.from(text))[0]?.publicText, text.slice(0, 21))
})
