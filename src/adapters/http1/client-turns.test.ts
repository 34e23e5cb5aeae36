import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClientTurns } from './client-turns.ts'
import { createRequestTurns } from './request-turns.ts'

test('one of each client, then the second of each; the order of one client is kept', () => {
  const turns = createClientTurns<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) turns.add(item.charAt(0), item)
  assert.equal(turns.size, 6)
  const order = Array.from({ length: 6 }, () => turns.next())
  assert.deepEqual(order, ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  assert.equal(turns.next(), undefined)
  turns.add('a', 'a4')
  assert.equal(turns.next(), 'a4')
  assert.equal(turns.size, 0)
})

test('a long line is served in order, whatever comes in between', () => {
  const turns = createClientTurns<number>()
  const served: number[] = []
  let added = 0
  for (let round = 0; round < 1000; round += 1) {
    for (let index = 0; index < 3; index += 1) turns.add('a', added++)
    served.push(turns.next() ?? -1)
  }
  while (turns.size > 0) served.push(turns.next() ?? -1)
  assert.deepEqual(
    served,
    Array.from({ length: 3000 }, (_, index) => index),
  )
})

test('a client with many requests takes many turns of the event loop; another one is served in the next', async () => {
  const turns = createRequestTurns()
  const order: string[] = []
  let loops = 0
  const count = (): void => {
    loops += 1
    if (order.length < 1001) setImmediate(count)
  }
  setImmediate(count)
  for (let index = 0; index < 1000; index += 1) turns.ask('flood', () => order.push('flood'))
  turns.ask('good', () => order.push('good'))
  assert.ok(order.length > 0 && order.length < 100, 'a few at once')
  while (order.length < 1001) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(order.indexOf('good') < 100, `${order.indexOf('good')} before it`)
  assert.ok(loops > 10)
})
