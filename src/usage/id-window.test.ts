import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collectGarbage } from '../kernel/harness/collect-garbage.ts'
import { requestIds } from '../kernel/ids.ts'
import { createIdWindow, generationSize } from './id-window.ts'

test('an id is new once, whatever it looks like', () => {
  const nextId = requestIds()
  const id = fc.oneof(
    fc.constantFrom(nextId(), nextId(), 'req_abcdefghijkl000001', 'req_abcdefghijkl0000001', 'req_', ''),
    fc.string({ maxLength: 40 }),
  )
  fc.assert(
    fc.property(fc.array(id, { maxLength: 60 }), (ids) => {
      const window = createIdWindow(null)
      const seen = new Set<string>()
      for (const each of ids) {
        assert.equal(window.add(each), !seen.has(each))
        seen.add(each)
      }
    }),
  )
})

test('the last generation is remembered, the one before the last is let go', () => {
  const window = createIdWindow(null, 2)
  for (const [cursor, ids] of [
    ['1', ['a', 'b']],
    ['2', ['c', 'd']],
    ['3', ['e']],
  ] as const) {
    window.beginFrame(cursor)
    for (const id of ids) assert.ok(window.add(id))
  }
  assert.equal(window.add('c'), false)
  assert.equal(window.add('e'), false)
  assert.equal(window.add('a'), true)
  assert.equal(window.start(), '2')
})

function heapMegabytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed / 1e6
}

test('a full window holds ids, not the batches that they came in', () => {
  const nextId = requestIds()
  const window = createIdWindow(null)
  const before = heapMegabytes()
  for (let batch = 0; batch < (2 * generationSize) / 256; batch += 1) {
    const text = Buffer.from(
      Array.from({ length: 256 }, () => `{"id":"${nextId()}"${'x'.repeat(600)}\n`).join(''),
    ).toString()
    window.beginFrame(String(batch))
    for (let at = 0; at < text.length; at = text.indexOf('\n', at) + 1)
      window.add(text.slice(at + 7, at + 29))
  }
  const grown = heapMegabytes() - before
  assert.ok(grown < 25, `${grown.toFixed(0)} MB`)
  assert.equal(window.add(nextId()), true)
})
