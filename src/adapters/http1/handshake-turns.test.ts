import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import { createHandshakeTurns } from './handshake-turns.ts'

async function until(condition: () => boolean): Promise<void> {
  const started = performance.now()
  while (!condition() && performance.now() - started < 5000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(condition())
}

test('so many begin in a second, and a client that asks for many does not hold up the others', async () => {
  const wheel = createTimerWheel(10)
  const turns = createHandshakeTurns(wheel, () => 200)
  const order: string[] = []
  const started = performance.now()
  for (let index = 0; index < 100; index += 1) turns.ask('flood', () => order.push('flood') > 0)
  turns.ask('good', () => order.push('good') > 0)
  await until(() => order.includes('good'))
  assert.ok(order.length < 40, `${order.length} went before`)
  await until(() => turns.waiting === 0)
  const elapsed = performance.now() - started
  assert.equal(order.length, 101)
  assert.ok(elapsed > 400, `${elapsed} ms for 101 at 200 a second`)
  wheel.stop()
})

test('who has gone meanwhile costs no turn', async () => {
  const wheel = createTimerWheel(10)
  const turns = createHandshakeTurns(wheel, () => 20)
  let began = false
  assert.equal(turns.waiting, 0)
  turns.ask('first', () => true)
  for (let index = 0; index < 1000; index += 1) turns.ask('gone', () => false)
  turns.ask('here', () => {
    began = true
    return true
  })
  const started = performance.now()
  await until(() => began)
  assert.ok(performance.now() - started < 1000)
  wheel.stop()
})
