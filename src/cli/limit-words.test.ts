import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CliFailure } from './cli-failure.ts'
import { formatDuration } from './durations.ts'
import { describeLimit, parseLimitWords, parseNamedLimit } from './limit-words.ts'

test('what a limit is described by is what it is said by', () => {
  for (const words of [
    '100 requests per minute',
    '100000 total-tokens per 12h',
    '100 requests per minute, 20 at once',
    '$0.5 per hour, 0.1 at once',
    '$500 per calendar month',
    '$500 per calendar month in Europe/Berlin',
    '5 concurrent-streams',
  ]) {
    assert.equal(describeLimit(parseLimitWords(words)), words)
  }
  assert.deepEqual(parseNamedLimit('rate: 5 requests per day'), {
    name: 'rate',
    meter: 'requests',
    amount: 5,
    window: 'day',
  })
})

test('what is not a limit is refused with examples', () => {
  for (const words of [
    '',
    '100',
    'many requests per minute',
    '100 apples per minute',
    '100 requests each minute',
    '100 requests per',
    '100 requests per calendar',
    '100 requests per calendar year',
    '100 requests per calendar month at Europe/Berlin',
    '100 requests per minute, 20',
    '100 requests per minute, many at once',
    '5 concurrent-streams, 2 at once',
    '$ per minute',
  ]) {
    assert.throws(() => parseLimitWords(words), CliFailure, words)
  }
  assert.throws(() => parseNamedLimit('100 requests per minute'), CliFailure)
})

test('durations are said in two units at most', () => {
  assert.deepEqual([0, 250, 1000, 200_000, 3_600_000, 90_061_000, 86_460_000].map(formatDuration), [
    '0ms',
    '250ms',
    '1s',
    '3m 20s',
    '1h',
    '1d 1h',
    '1d',
  ])
})
