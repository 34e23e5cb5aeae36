import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { toBase62 } from '../../kernel/ids.ts'
import { mintAdminToken, mintApiKey, mintApiKeySecret, parseAdminToken, parseApiKey } from './api-key-text.ts'

const environments = ['live', 'test'] as const

test('a minted key has the documented form and reads back', () => {
  for (const environment of environments) {
    const { text, keyId } = mintApiKey(environment)
    assert.match(text, new RegExp(`^gwr_${environment}_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`))
    assert.deepEqual(parseApiKey(text), { environment, keyId })
    const body = text.slice(0, -7)
    assert.equal(text.slice(-6), toBase62(crc32(body), 6), 'the checksum is CRC-32 of all before it')
  }
})

test('a new secret stands under the same key id', () => {
  const { text, keyId } = mintApiKey('live')
  const next = mintApiKeySecret('live', keyId)
  assert.notEqual(next, text)
  assert.deepEqual(parseApiKey(next), { environment: 'live', keyId })
})

test('an admin token is no API key, nor the other way round', () => {
  const { text, tokenId } = mintAdminToken()
  assert.match(text, /^gwa_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/)
  assert.deepEqual(parseAdminToken(text), { tokenId })
  assert.equal(parseApiKey(text), null)
  assert.equal(parseAdminToken(mintApiKey('live').text), null)
})

test('every change of one character is refused by the checksum', () => {
  fc.assert(
    fc.property(fc.nat(71), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }), (at, char) => {
      const { text } = mintApiKey('live')
      const changed = text.slice(0, at) + char + text.slice(at + 1)
      assert.equal(parseApiKey(changed) === null, changed !== text)
    }),
    { numRuns: 2000 },
  )
})

test('every swap of neighbours is refused', () => {
  const { text } = mintApiKey('test')
  for (let at = 0; at + 1 < text.length; at += 1) {
    const swapped = text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2)
    assert.equal(parseApiKey(swapped) === null, swapped !== text)
  }
})

test('a missing or additional character anywhere is refused', () => {
  const { text } = mintApiKey('live')
  for (let at = 0; at <= text.length; at += 1) {
    assert.equal(parseApiKey(`${text.slice(0, at)}0${text.slice(at)}`), null)
    if (at < text.length) assert.equal(parseApiKey(text.slice(0, at) + text.slice(at + 1)), null)
  }
})

test('junk never throws and never parses', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary', minLength: 72, maxLength: 72 })),
      (junk) => {
        assert.equal(parseApiKey(junk), null)
        assert.equal(parseApiKey(`gwr_live_${junk}`), null)
        assert.equal(parseAdminToken(junk), null)
      },
    ),
    { numRuns: 2000 },
  )
})

test('characters beyond ASCII that share low bits with base62 are refused', () => {
  const { text } = mintApiKey('live')
  for (const shift of [0x100, 0x80, 0x10000]) {
    const char = String.fromCodePoint((text.codePointAt(20) ?? 0) + shift)
    assert.equal(parseApiKey((text.slice(0, 20) + char + text.slice(21)).slice(0, 72)), null)
  }
})

test('a very long text is refused without being read', () => {
  const long = `gwr_live_${'A'.repeat(50_000_000)}`
  const start = performance.now()
  assert.equal(parseApiKey(long), null)
  assert.ok(performance.now() - start < 50)
})
