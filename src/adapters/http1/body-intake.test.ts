import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BodyIntake } from './body-intake.ts'

interface Outcome {
  failure: string | null
  body: string
  calls: number
}

function ask(intake: BodyIntake, maxBytes: number): Outcome {
  const outcome: Outcome = { failure: 'not told', body: '', calls: 0 }
  intake.readBody(maxBytes, (failure, body) => {
    outcome.failure = failure
    outcome.body = body.toString('latin1')
    outcome.calls += 1
  })
  return outcome
}

test('a body is the same whenever it is asked for, and what follows it is left', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(70), { maxLength: 6 }),
      fc.nat(7),
      fc.boolean(),
      (text, cuts, askAfter, chunked) => {
        const coded = chunked ? `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n` : text
        const whole = Buffer.from(`${coded}next`, 'latin1')
        const points = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length]
        const pieces = points.slice(1).map((to, index) => whole.subarray(points[index] ?? 0, to))
        const intake = new BodyIntake(chunked ? 'chunked' : 'length', chunked ? undefined : text.length)
        let used = 0
        let outcome: Outcome | null = askAfter === 0 ? ask(intake, 1000) : null
        for (const [index, piece] of pieces.entries()) {
          if (!intake.finished) used += intake.push(piece)
          if (index + 1 === askAfter) outcome = ask(intake, 1000)
        }
        outcome ??= ask(intake, 1000)
        assert.deepEqual(outcome, { failure: null, body: text, calls: 1 })
        assert.equal(used, coded.length)
      },
    ),
  )
})

test('too large is told once, at the byte after the limit, and the rest is dropped', () => {
  const intake = new BodyIntake('frames', undefined)
  const outcome = ask(intake, 4)
  intake.push(Buffer.from('1234'))
  assert.equal(outcome.calls, 0)
  intake.push(Buffer.from('5'))
  intake.push(Buffer.from('6'))
  intake.finish()
  intake.fail('aborted')
  assert.deepEqual(outcome, { failure: 'too-large', body: '', calls: 1 })
  assert.equal(intake.broken, 'too-large')
})

test('an announced length over the limit is told before any byte is taken', () => {
  assert.deepEqual(ask(new BodyIntake('length', 5), 4), { failure: 'too-large', body: '', calls: 1 })
})

test('a failure before anyone asked is told to who asks', () => {
  const intake = new BodyIntake('length', 5)
  intake.push(Buffer.from('12'))
  intake.fail('aborted')
  assert.deepEqual(ask(intake, 10), { failure: 'aborted', body: '', calls: 1 })
})

test('a failure after the end changes nothing', () => {
  const intake = new BodyIntake('length', 2)
  intake.push(Buffer.from('12'))
  intake.fail('aborted')
  assert.deepEqual(ask(intake, 10), { failure: null, body: '12', calls: 1 })
})

test('a body in single bytes costs linear work and one buffer', () => {
  const intake = new BodyIntake('frames', undefined)
  const outcome = ask(intake, 300_000)
  const before = process.memoryUsage().arrayBuffers
  const begun = performance.now()
  for (let index = 0; index < 200_000; index += 1) intake.push(Buffer.from([index & 0x7f]))
  intake.finish()
  assert.equal(outcome.body.length, 200_000)
  assert.ok(performance.now() - begun < 2000)
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024)
})
