/** What a text reads as, and what is encoded in it, with the places that it came from. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodedViews } from './decode-text.ts'
import { foldText, originalSpan } from './fold-text.ts'
import { guardSetOf } from './harness/guard-samples.ts'
import { checkedToken, seeded } from './harness/secret-samples.ts'
import { applyMasks, judgeText, type Verdict } from './judge-text.ts'

const random = seeded(11)
const token = checkedToken('ghp_', random)

function judge(text: string): Verdict {
  const guards = guardSetOf({}).places.get('request')
  assert.ok(guards !== undefined)
  const judging = judgeText(text, guards)
  for (;;) {
    const step = judging.next()
    if (step.done === true) return step.value
  }
}

const rot13 = (text: string) =>
  text.replace(/[a-z]/gi, (letter) => {
    const base = letter < 'a' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base)
  })
const hex = (text: string) => Buffer.from(text).toString('hex')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const percent = (text: string) => [...text].map((each) => `%${hex(each)}`).join('')
const wide = (text: string) =>
  [...text].map((each) => String.fromCodePoint(each.charCodeAt(0) + 0xfee0)).join('')

const disguises: Readonly<Record<string, (text: string) => string>> = {
  'zero-width characters': (text) => [...text].join('\u200b'),
  'bidirectional controls': (text) => `\u202e${[...text].join('\u2066')}\u2069`,
  'variation selectors': (text) => [...text].join('\ufe0f'),
  'tags between the letters': (text) => [...text].join('\u{e0041}'),
  'combining marks': (text) => [...text].join('\u0301'),
  fullwidth: wide,
  'Cyrillic look-alikes': (text) => text.replaceAll('p', 'р').replaceAll('a', 'а').replaceAll('e', 'е'),
  'tags alone': (text) =>
    `hi${[...text].map((each) => String.fromCodePoint(0xe0000 + each.charCodeAt(0))).join('')}`,
  'bytes as variation selectors': (text) =>
    `x${[...text].map((each) => String.fromCodePoint(0xe0100 + each.charCodeAt(0) - 16)).join('')}`,
  base64,
  'base64 without its padding': (text) => base64(`key=${text}`).replaceAll('=', ''),
  base64url: (text) => Buffer.from(`~~~???${text}`).toString('base64url'),
  'base64 behind other letters': (text) => `ab${base64(text)}`,
  'base64 in lines': (text) => base64(`${'filler '.repeat(20)}${text}`).replace(/.{76}/g, '$&\r\n'),
  hex,
  percent,
  'HTML entities': (text) => [...text].map((each) => `&#${each.charCodeAt(0)};`).join(''),
  'hexadecimal HTML entities': (text) => [...text].map((each) => `&#x${hex(each)};`).join(''),
  'quoted-printable': (text) => `${text.slice(0, 12)}=\r\n${text.slice(12)}`,
  'JavaScript escapes': (text) => [...text].map((each) => `\\u00${hex(each)}`).join(''),
  rot13,
  'base64 in hex': (text) => hex(base64(text)),
  'percent in base64': (text) => base64(percent(text)),
  'three deep': (text) => base64(hex(base64(text))),
}

describe('a secret is found in, and masked from', () => {
  for (const [name, disguise] of Object.entries(disguises)) {
    test(name, () => {
      const text = `before ${disguise(token)} after`
      const { masks, findings } = judge(text)
      assert.equal(masks.length, 1, `found ${masks.length}`)
      assert.equal(findings[0]?.rule, 'github-personal-token')
      const masked = applyMasks(text, masks)
      assert.deepEqual(judge(masked).masks, [], 'it is still there')
      assert.ok(masked.startsWith('before ') && masked.endsWith(' after'), masked)
    })
  }
})

test('four deep is not looked into: the bound is three', () => {
  assert.deepEqual(judge(`before ${base64(hex(base64(hex(token))))} after`).masks, [])
})

test('ASCII is not copied, and every character of other texts keeps its place', () => {
  const text = 'plain text'
  assert.deepEqual(foldText(text), { text, places: null })
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (original) => {
      const { text: folded, places } = foldText(original)
      if (places === null) return
      assert.equal(places.length, folded.length + 1)
      assert.equal(places.at(-1), original.length)
      for (let at = 1; at < places.length; at += 1) assert.ok((places[at] ?? 0) >= (places[at - 1] ?? 0))
      const { start, end } = originalSpan(original, places, { start: 0, end: folded.length })
      assert.equal(foldText(original.slice(start, end)).text, folded)
    }),
  )
})

test('views hold at most six times the text and a little, whatever is nested in it', () => {
  const layers = [base64, hex, percent]
  let text = token.repeat(20)
  for (let depth = 0; depth < 3; depth += 1) text = (layers[depth] ?? base64)(text)
  for (const each of [
    text,
    '%41'.repeat(20_000),
    '&#65;'.repeat(20_000),
    'QUFB'.repeat(20_000),
    '=41'.repeat(9000),
  ]) {
    const views = decodedViews(each, foldText(each))
    const size = views.reduce((sum, view) => sum + view.text.length, 0)
    assert.ok(size <= each.length * 6 + 8192, `${size} of ${each.length}`)
  }
})

test('long texts: what is encoded across the end of a window is found as well', () => {
  for (const offset of [16_300, 16_384, 20_470, 20_480]) {
    const text = `${'x '.repeat(offset / 2)}${base64(token)} end`
    assert.equal(judge(text).masks.length, 1, String(offset))
  }
})
