import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { SinkGate } from './sink-gate.ts'

const never = new AbortController().signal

function gateAt(own: { readonly random?: number } = {}) {
  let now = 0
  const gate = new SinkGate({ most: 4, clock: { monotonic: () => now }, random: () => own.random ?? 0.5 })
  return {
    gate,
    advance(ms: number) {
      now += ms
    },
  }
}

/** Enters as often as it may; how often that was. */
async function enterAll(gate: SinkGate): Promise<number> {
  const stop = new AbortController()
  let entered = 0
  for (let at = 0; at < 10; at += 1) {
    gate.enter(stop.signal).then(
      () => {
        entered += 1
      },
      () => undefined,
    )
  }
  await turn()
  stop.abort()
  return entered
}

test('places grow by one for each round that is taken, up to the bound, and are halved by a failure', async () => {
  const { gate, advance } = gateAt()
  const seen: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const entered = await enterAll(gate)
    seen.push(entered)
    for (let at = 0; at < entered; at += 1) gate.taken()
  }
  assert.deepEqual([seen[0], seen.at(-1)], [1, 4])
  assert.deepEqual([...seen].sort(), seen)
  await gate.enter(never)
  gate.failed(null)
  assert.equal(gate.places, 1, 'a probe')
  advance(1000)
  assert.equal(await enterAll(gate), 1)
  gate.taken()
  assert.equal(gate.places, 2, 'half of what it was')
})

test('pauses double up to a minute, jittered between half and whole', async () => {
  for (const [random, share] of [
    [0, 0.5],
    [1, 1],
  ] as const) {
    const { gate } = gateAt({ random })
    assert.deepEqual(
      [1, 2, 3, 8, 30].map((failures) => gate.pauseMs(failures) / share),
      [500, 1000, 2000, 60_000, 60_000],
    )
  }
})

test('a receiver that asks for a pause gets it, ten minutes at most', async () => {
  for (const [asked, given] of [
    [30_000, 30_000],
    [86_400_000, 600_000],
  ] as const) {
    const { gate, advance } = gateAt()
    await gate.enter(never)
    gate.failed(asked)
    advance(given - 1)
    assert.equal(await enterAll(gate), 0)
    advance(1)
    assert.equal(await enterAll(gate), 1)
  }
})

test('the circuit opens with the fifth failure in a row, is half open after its pause, and closes with a success', async () => {
  const { gate, advance } = gateAt()
  for (let failures = 0; failures < 5; failures += 1) {
    assert.equal(gate.circuit, 'closed')
    advance(60_000)
    await gate.enter(never)
    gate.failed(null)
  }
  assert.equal(gate.circuit, 'open')
  advance(60_000)
  assert.equal(gate.circuit, 'half-open')
  await gate.enter(never)
  gate.taken()
  assert.equal(gate.circuit, 'closed')
})

test('whoever waits is let go when the sink is closed', async () => {
  const { gate } = gateAt()
  const closing = new AbortController()
  await gate.enter(closing.signal)
  const waiting = assert.rejects(gate.enter(closing.signal), /being closed/)
  closing.abort()
  await waiting
  await assert.rejects(gate.enter(closing.signal), /being closed/)
})
