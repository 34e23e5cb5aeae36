/** A thread for tests: moves the same counters, all or none, until it is ended from outside. */
import { workerData } from 'node:worker_threads'
import type { CounterTerms } from '../../../ports/central-counters.ts'
import { type CounterPart, maxCounterParts } from '../../../ports/node-counters.ts'
import { openSharedCounters } from '../shared-counters.ts'

export interface MoverData {
  readonly buffer: SharedArrayBuffer
  readonly owner: number
  /** Moves done so far, by owner. */
  readonly moves: SharedArrayBuffer
}

const endless: CounterTerms = { kind: 'calendar', amount: 1e15, startsAt: 1, endsAt: 1e15 }
/** So many that a thread is likely to end between two of them. Every third is leased. */
export const moverCounters = Array.from({ length: maxCounterParts }, (_, index) => ({
  key: `{org}counter${index}`,
  terms: endless,
  leased: index % 3 === 2,
}))
/** Each round counts one, puts five aside, counts two of these and lets go of the rest. */
export const usedPerRound = 3

function run({ buffer, owner, moves }: MoverData): void {
  const counters = openSharedCounters(buffer, owner)
  const done = new Int32Array(moves)
  const parts = moverCounters.map(({ key, terms, leased }): CounterPart => {
    const counter = counters.counter({ key, startsAt: 1, group: 'org', leased })
    return { counter, terms, check: 'firm', hold: 0, use: 0, held: 0, ticket: 0, short: false, left: 0 }
  })
  const move = (hold: number, use: number): boolean => {
    for (const part of parts) {
      part.hold = hold
      part.use = use
    }
    const isDone = counters.move(parts, Date.now()) === 'moved'
    if (isDone) Atomics.add(done, owner, 1)
    return isDone
  }
  for (;;) {
    while (!move(5, 1));
    while (!move(-5, 2));
  }
}

if (workerData !== null) run(workerData as MoverData)
