import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTimerWheel, type TimerWheel } from '../../kernel/timer-wheel.ts'
import { BodyDeadlines } from './body-deadlines.ts'
import { Deadline } from './deadline.ts'

/** Resolves after as much of the wheel's own time, which a busy machine stretches. */
function turn(wheel: TimerWheel, ms: number): Promise<void> {
  return new Promise((resolve) => new Deadline(wheel, ms, resolve).start())
}

test('start leaves a running deadline alone, restart begins anew, clear ends it; each fires once', async () => {
  const wheel = createTimerWheel(10)
  const keepAwake = setInterval(() => undefined, 1000)
  const fired: string[] = []
  const deadline = (name: string): Deadline => new Deadline(wheel, 100, () => fired.push(name))
  const started = deadline('started')
  const restarted = deadline('restarted')
  const cleared = deadline('cleared')
  const begun = performance.now()
  for (const each of [started, restarted, cleared]) each.start()
  await turn(wheel, 60)
  started.start()
  restarted.restart()
  cleared.clear()
  await turn(wheel, 60)
  assert.deepEqual(fired, ['started'])
  assert.ok(performance.now() - begun >= 100)
  await turn(wheel, 60)
  assert.deepEqual(fired, ['started', 'restarted'])
  started.start()
  await turn(wheel, 120)
  assert.deepEqual(fired, ['started', 'restarted', 'started'])
  clearInterval(keepAwake)
  wheel.stop()
})

test('a body that keeps up its rate is never late; one that drips is, once', async () => {
  const wheel = createTimerWheel(10)
  const keepAwake = setInterval(() => undefined, 1000)
  let received = 0
  let late = 0
  const bounds = { bodyTimeoutMs: 60_000, bodyGraceMs: 200, bodyBytesPerSecond: 250 }
  const deadlines = new BodyDeadlines(wheel, bounds, {
    received: () => received,
    streams: () => true,
    late: () => {
      late += 1
    },
  })
  deadlines.start()
  for (let round = 0; round < 10; round += 1) {
    await turn(wheel, 50)
    received += 40
    deadlines.progress()
  }
  assert.equal(late, 0)
  for (let round = 0; round < 10; round += 1) {
    await turn(wheel, 50)
    received += 1
    if (late === 0) deadlines.progress()
  }
  assert.equal(late, 1)
  clearInterval(keepAwake)
  wheel.stop()
})

test('progress keeps away the timeout of a body that streams through, not that of one that is gathered', async () => {
  for (const streams of [true, false]) {
    const wheel = createTimerWheel(10)
    const keepAwake = setInterval(() => undefined, 1000)
    let late = 0
    const bounds = { bodyTimeoutMs: 150, bodyGraceMs: 1000, bodyBytesPerSecond: 0 }
    const deadlines = new BodyDeadlines(wheel, bounds, {
      received: () => 0,
      streams: () => streams,
      late: () => {
        late += 1
      },
    })
    deadlines.start()
    for (let round = 0; round < 5; round += 1) {
      await turn(wheel, 50)
      if (late === 0) deadlines.progress()
    }
    assert.equal(late, streams ? 0 : 1)
    await turn(wheel, 220)
    assert.equal(late, 1)
    clearInterval(keepAwake)
    wheel.stop()
  }
})
