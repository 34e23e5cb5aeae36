/** Streams: however a text is cut, what comes out is the same, and what is forbidden never leaves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GuardFinding, GuardRule } from '../domain/guards.ts'
import type { PlaceGuards } from './guard-set.ts'
import { guardText, mostHeld } from './guarded-text.ts'
import { guardSetOf } from './harness/guard-samples.ts'
import { sampleOf, seeded } from './harness/secret-samples.ts'
import { applyMasks, judgeText } from './judge-text.ts'
import { secrets } from './secrets/detector.ts'
import { secretRules } from './secrets/rules.ts'
import { mostUndecided } from './text-scanner.ts'

function guardsOf(own: Partial<GuardRule>): PlaceGuards {
  const guards = guardSetOf(own).places.get('response')
  assert.ok(guards !== undefined)
  return guards
}
const mask = guardsOf({ action: 'mask' })
const held = guardsOf({ action: 'mask', streaming: 'hold' })
const block = guardsOf({ action: 'block' })

function whole(text: string, guards: PlaceGuards): string {
  const judging = judgeText(text, guards)
  for (;;) {
    const step = judging.next()
    if (step.done === true) return applyMasks(text, step.value.masks)
  }
}

interface Streamed {
  readonly text: string
  readonly blockedBy: string | null
  readonly most: number
  readonly findings: readonly Omit<GuardFinding, 'at'>[]
}

function stream(pieces: readonly string[], guards: PlaceGuards): Streamed {
  const findings: Omit<GuardFinding, 'at'>[] = []
  const guarded = guardText(guards, (finding) => findings.push(finding))
  let text = ''
  let sent = 0
  let most = 0
  for (const [at, piece] of [...pieces, ''].entries()) {
    const passed = guarded.push(piece, at === pieces.length)
    sent += piece.length
    text += passed.text
    most = Math.max(most, sent - text.length)
    if (passed.blockedBy !== null) return { text, blockedBy: passed.blockedBy, most, findings }
  }
  return { text, blockedBy: null, most, findings }
}

function cutAt(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  const pieces: string[] = []
  let from = 0
  for (const place of sorted) {
    pieces.push(text.slice(from, place))
    from = place
  }
  return [...pieces, text.slice(from)]
}

const secret = fc
  .tuple(fc.constantFrom(...secretRules), fc.integer())
  .map(([rule, seed]) => sampleOf(rule, seeded(seed)))
const piece = fc.oneof(
  { weight: 4, arbitrary: secret },
  fc.constantFrom(
    ' ',
    '\n',
    '-',
    'sk-',
    'https://',
    '-----BEGIN ',
    '\u200b',
    'ｓｋ－',
    '😀',
    '\ud83d',
    'é',
    'A',
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
)
const texts = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''))
const cuts = fc.array(fc.nat(600), { maxLength: 20 })

/** What is encoded is looked for in whole texts alone. */
const plainOnly: PlaceGuards = {
  ...mask,
  detectors: mask.detectors.map((by) => ({
    ...by,
    detector: { ...by.detector, views: ['folded'] as const },
  })),
}

test('cut: any pieces give what the whole text gives', () => {
  fc.assert(
    fc.property(texts, cuts, (text, places) => {
      const pieces = cutAt(text, places)
      assert.equal(stream(pieces, mask).text, whole(text, plainOnly))
    }),
    { numRuns: 1500 },
  )
})

test('hold: any pieces give what the whole text gives, what is encoded in it included', () => {
  fc.assert(
    fc.property(texts, cuts, (text, places) => {
      assert.equal(stream(cutAt(text, places), held).text, whole(text, mask))
    }),
    { numRuns: 300 },
  )
})

test('every place at which one secret can be cut in two, and one character at a time', () => {
  const random = seeded(3)
  for (const rule of secretRules.filter((_, at) => at % 12 === 0)) {
    const text = `key: ${sampleOf(rule, random)}\nand more`
    const expected = whole(text, plainOnly)
    assert.notEqual(expected, text)
    for (let at = 0; at <= text.length; at += 1)
      assert.equal(
        stream([text.slice(0, at), text.slice(at)], mask).text,
        expected,
        `${rule.name} cut at ${at}`,
      )
    assert.equal(stream([...text], mask).text, expected)
  }
})

test('block: nothing of the secret leaves, whatever the pieces', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), secret, cuts, (before, value, places) => {
      const text = `${before} ${value} after`
      const { text: sent, blockedBy } = stream(cutAt(text, places), block)
      const masked = whole(text, plainOnly)
      if (masked === text) return
      assert.equal(blockedBy, 'sample')
      assert.ok(masked.startsWith(sent), 'more left than what stands before the secret')
    }),
    { numRuns: 500 },
  )
})

test('no more is held back than the detector says, of characters that are seen', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 30 }), { maxLength: 12 }), (pieces) => {
      const guarded = guardText(guardsOf({ action: 'block' }), () => {})
      let held = 0
      for (const each of pieces) {
        const { text, blockedBy } = guarded.push(each, false)
        if (blockedBy !== null) return
        held += each.length - text.length
        assert.ok(held <= secrets.holdBack, String(held))
      }
    }),
    { numRuns: 300 },
  )
})

test('characters that are not seen cannot keep a stream from going on', () => {
  const guarded = guardText(mask, () => {})
  const { text } = guarded.push(`sk-${'\u200b'.repeat(mostUndecided * 3)}`, false)
  assert.ok(text.length > mostUndecided)
})

test('a part that is held and grows beyond its bound does not pass, or passes uninspected where the guard is open', () => {
  const long = 'word '.repeat(mostHeld / 5 + 1)
  assert.deepEqual(guardText(held, () => {}).push(long, false), {
    text: '',
    blockedBy: null,
    isTooLong: true,
  })
  const open = guardText(guardsOf({ action: 'mask', streaming: 'hold', onFailure: 'open' }), () => {})
  assert.deepEqual(open.push(long, false), { text: long, blockedBy: null, isTooLong: false })
})

test('a guard that only tells holds nothing back, and tells the place', () => {
  const rule = secretRules.find(({ name }) => name === 'github-fine-grained-token')
  assert.ok(rule !== undefined)
  const value = sampleOf(rule, seeded(1))
  for (const own of [{ action: 'flag' }, { action: 'block', mode: 'shadow' }] as const) {
    const { text, most, findings } = stream(['a ', ...value, ' b'], guardsOf(own))
    assert.equal(text, `a ${value} b`)
    assert.equal(most, 0)
    assert.deepEqual(
      findings.map((each) => [each.rule, each.start]),
      [['github-fine-grained-token', 2]],
    )
  }
})
