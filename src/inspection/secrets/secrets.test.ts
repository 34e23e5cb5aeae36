import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkedToken, randomValue, sampleOf, seeded } from '../harness/secret-samples.ts'
import { bitsOf } from './character-class.ts'
import { secrets } from './detector.ts'
import { secretRules } from './rules.ts'
import type { SecretRule } from './secret-rule.ts'

const find = (text: string) => secrets.scan({ text, from: 0, isLast: true }).matches
const random = seeded(7)
const valueLength = (rule: SecretRule) => rule.parts.find((part) => 'isValue' in part && part.isValue)

test('there are at least 150 kinds, each with a name of its own', () => {
  assert.ok(secretRules.length >= 150, String(secretRules.length))
  assert.equal(new Set(secretRules.map(({ name }) => name)).size, secretRules.length)
})

test('what may yet become a secret is never longer than the detector says', () => {
  assert.ok(secrets.holdBack <= 96, String(secrets.holdBack))
})

describe('each kind', () => {
  for (const rule of secretRules) {
    test(rule.name, () => {
      for (let round = 0; round < 3; round += 1) {
        const sample = sampleOf(rule, random)
        const text = `before ${sample} after`
        const [found, ...others] = find(text)
        assert.ok(found !== undefined, `nothing is found of ${sample.length} characters`)
        assert.deepEqual(others, [])
        const covered = text.slice(found.start, found.end)
        assert.ok(sample.includes(covered) || covered.includes(sample), 'another place is found')
        assert.ok(found.score >= 0.5)
      }
      const part = valueLength(rule)
      if (part === undefined || !('min' in part) || part.min < 12) return
      const short = sampleOf(rule, random, Math.ceil(part.min / 2) + 8)
      assert.ok(
        !find(`before ${short} after`).some((each) => each.rule === rule.name),
        'half of one is found',
      )
      const same = sampleOf(rule, () => 0.3)
      assert.ok(
        !find(`before ${same} after`).some((each) => each.rule === rule.name),
        'one letter over and over',
      )
    })
  }
})

describe('is told apart from what looks like it', () => {
  test('a checksum proves a token, and a wrong one only makes it less sure', () => {
    const token = checkedToken('ghp_', random)
    assert.deepEqual(
      find(token).map(({ rule, score }) => [rule, score]),
      [['github-personal-token', 1]],
    )
    const wrong = `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`
    assert.deepEqual(
      find(wrong).map(({ score }) => score),
      [0.8],
    )
  })

  test('words of documentation are none', () => {
    const hex = randomValue(bitsOf.alnum, 20, random)
    for (const text of [
      `AKIA${'IOSFODNN7'}EXAMPLE`,
      `sk-proj-${'your-api-key-here-'.repeat(3)}`,
      `postgres://user:${'changeme'}@localhost/db`,
      `api_key = "${'x'.repeat(32)}"`,
      `task-${hex}${hex}`,
      'The file begins with -----BEGIN RSA PRIVATE KEY----- and goes on with base64.',
    ])
      assert.deepEqual(find(text), [], text)
  })

  test('identifiers, hashes and versions are none', () => {
    const hex = randomValue(bitsOf.hex, 64, random)
    for (const text of [
      hex,
      `commit ${hex.slice(0, 40)}`,
      `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`,
      `order no. 2026-11-28-${randomValue(bitsOf.digit, 16, random)}`,
      `https://example.org/path/${hex}?page=2`,
      `sha256-${randomValue(bitsOf.base64, 43, random)}=`,
    ])
      assert.deepEqual(find(text), [], text)
  })

  test('of a connection string the password alone is covered, and the rest stays readable', () => {
    const password = randomValue(bitsOf.alnum, 16, random)
    const text = `DATABASE_URL=postgres://app:${password}@db.internal:5432/main`
    assert.deepEqual(
      find(text).map(({ start, end }) => text.slice(start, end)),
      [password],
    )
  })

  test('a private key is covered to the end of its armor, with what it says about itself', () => {
    const body = Array.from({ length: 20 }, () => randomValue(bitsOf.base64, 64, random)).join('\n')
    const key = `-----BEGIN EC PRIVATE KEY-----\n${body}\n-----END EC PRIVATE KEY-----`
    const text = `Here it is:\n${key}\nKeep it safe, and so on.`
    assert.deepEqual(
      find(text).map(({ start, end }) => text.slice(start, end)),
      [key],
    )
    const escaped = JSON.stringify({ key })
    assert.equal(find(escaped).length, 1)
  })
})

test('a keyword over and over takes time in proportion to the text', () => {
  const hard = [
    'sk-',
    'eyJhbGciOi',
    'postgres://a:',
    '-----BEGIN RSA PRIVATE KEY-----\n',
    'datadog ',
    'AKIA',
    'sk-sk_SK',
  ]
  const cost = (text: string): number => {
    const before = process.cpuUsage()
    for (let round = 0; round < 2; round += 1) find(text)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 2000
  }
  for (const keyword of hard) {
    const text = keyword.repeat(Math.ceil(100_000 / keyword.length))
    cost(text)
    assert.ok(cost(text) < 100, `100 KB of ${keyword.trim()} take ${cost(text)} ms`)
  }
})
