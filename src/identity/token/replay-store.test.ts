import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createReplayMemory, openReplayStore } from './replay-store.ts'

const now = 1_800_000_000_000

test('an entry is new once until it ends, whoever of those that share the memory asks', () => {
  const memory = createReplayMemory()
  const [one, other] = [openReplayStore(memory), openReplayStore(memory)]
  assert.equal(one.add('a', now + 60_000, now), 'new')
  assert.equal(other.add('a', now + 60_000, now), 'seen')
  assert.equal(other.add('b', now + 60_000, now), 'new')
  assert.equal(one.add('a', now + 180_000, now + 61_000), 'new')
  assert.equal(openReplayStore(createReplayMemory()).add('a', now + 1000, now), 'new')
})

test('8,000 entries at a time are told apart; beyond what it can hold it says so instead of forgetting', () => {
  const store = openReplayStore(createReplayMemory())
  for (let at = 0; at < 8000; at += 1) assert.equal(store.add(`e${at}`, now + 60_000, now), 'new', String(at))
  for (let at = 0; at < 8000; at += 97) assert.equal(store.add(`e${at}`, now + 60_000, now), 'seen')
  let full = 0
  for (let at = 0; at < 60_000; at += 1) if (store.add(`f${at}`, now + 60_000, now) === 'full') full += 1
  assert.ok(full > 0)
  assert.equal(store.add('e0', now + 60_000, now), 'seen')
})

const program = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.module).then(({ openReplayStore }) => {
    const store = openReplayStore(workerData.memory)
    const gate = new Int32Array(workerData.gate)
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    while (Atomics.load(gate, 1) === 0);
    let won = 0
    for (let at = 0; at < 4000; at += 1) if (store.add('entry ' + at, ${now} + 60000, ${now}) === 'new') won += 1
    parentPort.postMessage(won)
  })`

test('of threads that add the same entries at once at most one gets each', async () => {
  const memory = createReplayMemory()
  const gate = new SharedArrayBuffer(8)
  const state = new Int32Array(gate)
  const module = new URL('./replay-store.ts', import.meta.url).href
  const workers = [0, 1].map(() => new Worker(program, { eval: true, workerData: { memory, gate, module } }))
  const answers = workers.map(async (worker) => Number((await once(worker, 'message'))[0]))
  while (Atomics.load(state, 0) < workers.length) await new Promise((resolve) => setTimeout(resolve, 5))
  Atomics.store(state, 1, 1)
  const won = (await Promise.all(answers)).reduce((sum, each) => sum + each, 0)
  assert.ok(won <= 4000 && won > 3900, String(won))
  await Promise.all(workers.map((worker) => worker.terminate()))
})
