import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../kernel/fault.ts'
import { WrongKeys } from './wrong-keys.ts'

function openBook() {
  let now = 1000
  const book = new WrongKeys({ monotonic: () => now })
  let guess = 0
  const claim = (address: string, digest: string, perMinute = 6) => ({ address, digest, perMinute })
  /** What a text comes to: `reckoned`, or why it was not. */
  const admit = (address: string, digest: string, perMinute?: number): string => {
    try {
      book.admit(claim(address, digest, perMinute))
      return 'reckoned'
    } catch (error) {
      assert.ok(error instanceof Fault)
      return `${error.code} ${error.retryAfterSeconds ?? ''}`.trim()
    }
  }
  return {
    book,
    admit,
    wait(ms: number) {
      now += ms
    },
    /** A text that was never tried. */
    guess(address: string, perMinute?: number): string {
      guess += 1
      const outcome = admit(address, `g${guess}`, perMinute)
      if (outcome === 'reckoned') book.add(claim(address, `g${guess}`, perMinute))
      return outcome
    },
  }
}

test('who guesses is refused after so many, then has one try for each share of the minute', () => {
  const { guess, wait } = openBook()
  const outcomes = Array.from({ length: 8 }, () => guess('10.0.0.1'))
  assert.deepEqual(outcomes.slice(0, 6), Array(6).fill('reckoned'))
  assert.deepEqual(outcomes.slice(6), Array(2).fill('auth.too-many-wrong-keys 10'))
  wait(10_000)
  assert.deepEqual([guess('10.0.0.1'), guess('10.0.0.1')], ['reckoned', 'auth.too-many-wrong-keys 10'])
  wait(60_000)
  assert.equal(guess('10.0.0.1'), 'reckoned')
})

test('other clients are not concerned; the addresses of one IPv6 network are one client', () => {
  const { guess } = openBook()
  for (let at = 0; at < 6; at += 1) guess(`2001:db8:1:1::${at + 1}`)
  assert.match(guess('2001:db8:1:1::ff'), /too-many/)
  assert.deepEqual([guess('2001:db8:1:2::1'), guess('10.0.0.1')], ['reckoned', 'reckoned'])
})

test('an old key that is sent again and again is one failure, and stays wrong until keys change', () => {
  const { book, admit, guess } = openBook()
  assert.equal(admit('10.0.0.1', 'old'), 'reckoned')
  book.add({ address: '10.0.0.1', digest: 'old', perMinute: 6 })
  for (let at = 0; at < 100; at += 1) assert.equal(admit('10.0.0.1', 'old'), 'auth.invalid-key')
  assert.equal(guess('10.0.0.1'), 'reckoned')
  book.forgetTexts()
  assert.equal(admit('10.0.0.1', 'old'), 'reckoned')
})

test('without a bound nobody is refused', () => {
  const { guess } = openBook()
  for (let at = 0; at < 500; at += 1) assert.equal(guess('10.0.0.1', 0), 'reckoned')
})
