/** A thread for tests: takes one unit of each of four counters at a time until there are no more. */
import { parentPort, workerData } from 'node:worker_threads'
import type { CounterTerms } from '../../../ports/central-counters.ts'
import type { CounterPart } from '../../../ports/node-counters.ts'
import { openSharedCounters } from '../shared-counters.ts'

export interface TakerData {
  readonly buffer: SharedArrayBuffer
  readonly owner: number
  /** Amounts of the counters; the smallest decides. */
  readonly amounts: readonly number[]
  /** Threads wait for each other here. */
  readonly gate: SharedArrayBuffer
}

function run({ buffer, owner, amounts, gate }: TakerData): void {
  const counters = openSharedCounters(buffer, owner)
  const parts = amounts.map((amount, index): CounterPart => {
    const terms: CounterTerms = { kind: 'calendar', amount, startsAt: 1, endsAt: 1e15 }
    const counter = counters.counter({ key: `{org}c${index}`, startsAt: 1, group: 'org', leased: false })
    return { counter, terms, check: 'firm', hold: 0, use: 1, held: 0, ticket: 0, short: false, left: 0 }
  })
  const waiting = new Int32Array(gate)
  Atomics.add(waiting, 0, 1)
  Atomics.notify(waiting, 0)
  for (let there = Atomics.load(waiting, 0); there < 4; there = Atomics.load(waiting, 0)) {
    Atomics.wait(waiting, 0, there, 1000)
  }
  let taken = 0
  for (let outcome = counters.move(parts, Date.now()); outcome !== 'short'; ) {
    if (outcome === 'moved') taken += 1
    outcome = counters.move(parts, Date.now())
  }
  parentPort?.postMessage(taken)
}

if (workerData !== null) run(workerData as TakerData)
