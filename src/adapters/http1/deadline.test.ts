import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import { BodyDeadlines } from './body-deadlines.ts'
import { Deadline } from './deadline.ts'

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test('a deadline fires once at its figure; start leaves a running one alone, restart does not, clear ends it', async () => {
  const wheel = createTimerWheel(10)
  const fired: string[] = []
  const begun = performance.now()
  const started = new Deadline(wheel, 300, () =>
    fired.push(`start ${Math.round(performance.now() - begun) < 420}`),
  )
  const restarted = new Deadline(wheel, 300, () => fired.push('restart'))
  const cleared = new Deadline(wheel, 300, () => fired.push('clear'))
  started.start()
  restarted.start()
  cleared.start()
  await pause(200)
  started.start()
  restarted.restart()
  cleared.clear()
  await pause(200)
  assert.deepEqual(fired, ['start true'])
  await pause(200)
  assert.deepEqual(fired, ['start true', 'restart'])
  started.start()
  await pause(450)
  assert.equal(fired.length, 3)
  wheel.stop()
})

test('a body that brings enough in each window is never late; one that drips is', async () => {
  const wheel = createTimerWheel(10)
  let received = 0
  let late = 0
  const deadlines = new BodyDeadlines(wheel, 400, {
    received: () => received,
    late: () => {
      late += 1
    },
  })
  deadlines.start()
  for (let round = 0; round < 10; round += 1) {
    await pause(100)
    received += 100
    deadlines.progress()
  }
  assert.equal(late, 0)
  for (let round = 0; round < 10; round += 1) {
    await pause(100)
    received += 1
    if (late === 0) deadlines.progress()
  }
  assert.equal(late, 1)
  wheel.stop()
})
