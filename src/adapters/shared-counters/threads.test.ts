/** Real threads on one memory: at the same time, and killed in the middle of moves while others go on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { NodeCounters } from '../../ports/node-counters.ts'
import { type MoverData, moverCounters, usedPerRound } from './harness/move-until-killed.ts'
import type { TakerData } from './harness/take-until-short.ts'
import { createSharedCounters, openSharedCounters } from './shared-counters.ts'

const owners = 4
const supervisor = 3
const kills = 16
const movers = new Set<Worker>()
// A mover never ends by itself, and would keep a failed test from ending.
after(() => Promise.all([...movers].map((mover) => mover.terminate())))

interface Stage {
  readonly buffer: SharedArrayBuffer
  readonly moves: SharedArrayBuffer
  readonly counters: NodeCounters
}

function setUp(): Stage {
  const buffer = createSharedCounters({ slots: 4096, tickets: 256, owners })
  const counters = openSharedCounters(buffer, supervisor)
  const credit = { units: 1e15, centralLeft: 0, centralResetAt: 0, dryUntil: 0, dryUnits: 0 }
  for (const { key, terms, leased } of moverCounters) {
    const counter = counters.counter({ key, startsAt: 1, group: 'org', leased })
    if (leased) counters.credit({ counter, terms }, credit, Date.now())
  }
  return { buffer, moves: new SharedArrayBuffer(4 * owners), counters }
}

/** Start a mover and wait until it moves. */
async function startMover({ buffer, moves }: Stage, owner: number): Promise<Worker> {
  const workerData: MoverData = { buffer, owner, moves }
  const worker = new Worker(new URL('./harness/move-until-killed.ts', import.meta.url), { workerData })
  movers.add(worker)
  worker.on('exit', () => movers.delete(worker))
  worker.on('error', (error) => assert.fail(error))
  const done = new Int32Array(moves)
  const before = Atomics.load(done, owner)
  while (Atomics.load(done, owner) < before + 100) await sleep(1)
  return worker
}

/** Used units of each counter, and held ones. */
function readAll({ counters }: Stage): {
  readonly used: readonly number[]
  readonly held: readonly number[]
} {
  const readings = moverCounters.map(({ key, terms, leased }) => {
    const startsAt = terms.kind === 'calendar' ? terms.startsAt : 0
    const reading = counters.read(
      counters.counter({ key, startsAt, group: 'org', leased }),
      terms,
      Date.now(),
    )
    assert.ok(reading !== null)
    return { used: 1e15 - reading.left - (leased ? 0 : reading.held), held: reading.held }
  })
  return { used: readings.map(({ used }) => used), held: readings.map(({ held }) => held) }
}

test('four threads at once take every unit of the scarcest counter, and none twice', async () => {
  const buffer = createSharedCounters({ slots: 4096, tickets: 16, owners: 5 })
  const amounts = [60_000, 50_000, 70_000, 50_001]
  const gate = new SharedArrayBuffer(4)
  const threads = [0, 1, 2, 3].map((owner) => {
    const workerData: TakerData = { buffer, owner, amounts, gate }
    return new Worker(new URL('./harness/take-until-short.ts', import.meta.url), { workerData })
  })
  const taken = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0] as number))
  assert.equal(
    taken.reduce((sum, each) => sum + each, 0),
    50_000,
  )
  const counters = openSharedCounters(buffer, 4)
  const left = amounts.map((amount, index) => {
    const counter = counters.counter({ key: `{org}c${index}`, startsAt: 1, group: 'org', leased: false })
    return counters.read(counter, { kind: 'calendar', amount, startsAt: 1, endsAt: 1e15 }, Date.now())?.left
  })
  assert.deepEqual(left, [10_000, 0, 20_000, 1])
})

test('a thread that is killed leaves no move half done, no lock and no hold behind', async () => {
  const stage = setUp()
  const pair = await Promise.all([0, 1].map((owner) => startMover(stage, owner)))
  for (let kill = 0; kill < kills; kill += 1) {
    const owner = kill % 2
    await pair[owner]?.terminate()
    assert.equal(stage.counters.forget(owner, Date.now()), true)
    pair[owner] = await startMover(stage, owner)
  }
  for (const [owner, mover] of pair.entries()) {
    await mover.terminate()
    stage.counters.forget(owner, Date.now())
  }
  const { used, held } = readAll(stage)
  const [first] = used
  assert.ok(first !== undefined && first > kills * 50)
  for (const [index, { key }] of moverCounters.entries()) {
    assert.equal(held[index], 0, key)
    // Nothing is held any more, so a leased balance shows what was used alone.
    assert.equal(used[index], first, key)
  }
  const moves = new Int32Array(stage.moves).reduce((sum, each) => sum + each, 0)
  // A thread may die after a move and before it noted it.
  const most = (usedPerRound / 2) * (moves + 2 * (kills + 2))
  assert.ok(
    first >= (usedPerRound / 2) * moves - 2 * (kills + 2) && first <= most,
    `${first} for ${moves} moves`,
  )
})

test('threads that live wait out the locks of one that died, and go on when it is cleared up after', async () => {
  const stage = setUp()
  const [mover, bystander] = await Promise.all([startMover(stage, 0), startMover(stage, 1)])
  const done = new Int32Array(stage.moves)
  await mover.terminate()
  stage.counters.forget(0, Date.now())
  const before = Atomics.load(done, 1)
  const deadline = Date.now() + 5000
  while (Atomics.load(done, 1) < before + 1000 && Date.now() < deadline) await sleep(1)
  assert.ok(Atomics.load(done, 1) >= before + 1000)
  await bystander.terminate()
})
