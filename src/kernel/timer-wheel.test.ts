import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTimerWheel } from './timer-wheel.ts'

test('a timer fires once, not before its time and at most a few ticks after it', async () => {
  const wheel = createTimerWheel(10)
  const began = performance.now()
  const fired: number[] = []
  wheel.set(60, () => fired.push(performance.now() - began))
  await sleep(160)
  wheel.stop()
  assert.equal(fired.length, 1)
  assert.ok((fired[0] ?? 0) >= 59 && (fired[0] ?? 0) < 150, `fired after ${fired[0]} ms`)
})

test('a cleared timer never fires, a refreshed one fires later', async () => {
  const wheel = createTimerWheel(5)
  const fired: string[] = []
  const cleared = wheel.set(20, () => fired.push('cleared'))
  const refreshed = wheel.set(40, () => fired.push('refreshed'))
  cleared.clear()
  cleared.clear()
  await sleep(25)
  refreshed.refresh()
  await sleep(25)
  assert.deepEqual(fired, [])
  await sleep(60)
  assert.deepEqual(fired, ['refreshed'])
  wheel.stop()
})

test('a callback that clears another timer of the same tick keeps it from firing', async () => {
  const wheel = createTimerWheel(5)
  const fired: string[] = []
  const handles = ['a', 'b'].map((name) =>
    wheel.set(10, () => {
      fired.push(name)
      for (const handle of handles) handle.clear()
    }),
  )
  await sleep(60)
  assert.equal(fired.length, 1)
  wheel.stop()
})

test('deadlines beyond one turn of the wheel wait for their turn', async () => {
  const wheel = createTimerWheel(1)
  let fired = 0
  wheel.set(700, () => {
    fired += 1
  })
  await sleep(560)
  assert.equal(fired, 0)
  await sleep(500)
  assert.equal(fired, 1)
  wheel.stop()
})
