import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LargeBodyAnswer } from '../gateway/index.ts'
import { createLargeBodyReader, type LargeBodyBounds } from './large-body-reader.ts'

const terms = { depth: 64, keys: 10_000_000, operationId: 'chat.completions', tenant: 'org_a' }
const small = Buffer.from('{"model":"a"}')
/** Takes some hundred milliseconds. */
const wide = Buffer.from(`{"a":[${'[[]],'.repeat(2_000_000)}0]}`)

function open(t: TestContext, bounds: Partial<LargeBodyBounds> = {}) {
  const reader = createLargeBodyReader(bounds)
  t.after(() => reader.stop())
  return {
    reader,
    read: (body: Buffer) =>
      new Promise<LargeBodyAnswer>((resolve) => {
        reader.read(body, terms, resolve)
      }),
  }
}

const problemOf = (answer: LargeBodyAnswer) =>
  typeof answer === 'string' ? answer : answer.digest.scan?.problem

test('bodies are read in order, and stay what they were', async (t) => {
  const { read } = open(t)
  const answers = await Promise.all([read(small), read(Buffer.from('{"a":{"b":[')), read(Buffer.from('[]'))])
  assert.deepEqual(answers.map(problemOf), ['none', 'not-an-object', 'not-an-object'])
  const given = Buffer.from(JSON.stringify({ model: 'a', messages: 'ü'.repeat(100_000) }))
  const before = given.toString()
  const back = await read(given)
  assert.ok(typeof back !== 'string' && back.body.toString() === before)
})

test('a thread that ends costs the body it had, and no other', async (t) => {
  const { reader, read } = open(t)
  const deadly = new Promise<LargeBodyAnswer>((resolve) => {
    reader.read(small, undefined as never, resolve)
  })
  const answers = await Promise.all([deadly, read(small), read(small)])
  assert.deepEqual(answers.map(problemOf), ['lost', 'none', 'none'])
})

test('a body that takes too long is given up, and the next is read', async (t) => {
  const { read } = open(t, { jobTimeoutMs: 30 })
  assert.equal(await read(Buffer.from(wide)), 'lost')
  const { read: again } = open(t)
  assert.equal(problemOf(await again(small)), 'none')
})

test('more than may wait are turned away', async (t) => {
  const { read } = open(t, { maxWaiting: 1 })
  const answers = await Promise.all([read(small), read(small), read(small)])
  assert.deepEqual(answers.map(problemOf), ['none', 'none', 'busy'])
})

test('who leaves is not answered, waiting or not, and does not hold up others', async (t) => {
  const { reader, read } = open(t)
  const answered: string[] = []
  const leave = ['first', 'second'].map((name) => reader.read(small, terms, () => void answered.push(name)))
  for (const each of leave) each()
  assert.equal(problemOf(await read(small)), 'none')
  assert.deepEqual(answered, [])
})

test('a thread without work is ended, and comes back with the next body', async (t) => {
  const { read } = open(t, { idleMs: 20 })
  await read(small)
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(problemOf(await read(small)), 'none')
})
