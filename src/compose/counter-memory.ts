/**
 * The memory in which all threads of this node count. The supervisor makes it and keeps it, so that counts outlive
 * every other thread; each thread opens it under a number of its own.
 */
import { clearConnections, createConnectionBoard } from '../adapters/http1/connection-board.ts'
import { defaultCounterSizes } from '../adapters/shared-counters/layout.ts'
import { createSharedCounters, openSharedCounters } from '../adapters/shared-counters/shared-counters.ts'
import { createReplayMemory } from '../identity/index.ts'
import type { NodeCounters } from '../ports/node-counters.ts'
import type { CounterMemory } from '../supervisor/supervise.ts'

const supervisorOwner = 0
const controlOwner = 1
const firstWorkerOwner = 2

export function createCounterMemory(workers: number): CounterMemory {
  const buffer = createSharedCounters({ ...defaultCounterSizes, owners: firstWorkerOwner + workers })
  const counters = openSharedCounters(buffer, supervisorOwner)
  /** Ended, but not cleared up after: one that died inside another's counters has to go first. */
  const ended = new Set<number>()
  const connections = createConnectionBoard(workers)
  return {
    buffer,
    connections,
    proofs: createReplayMemory(),
    forget(worker) {
      if (worker !== null) clearConnections(connections, worker)
      ended.add(worker === null ? controlOwner : firstWorkerOwner + worker)
      for (let left = -1; left !== ended.size && ended.size > 0; ) {
        left = ended.size
        for (const owner of ended) if (counters.forget(owner, Date.now())) ended.delete(owner)
      }
    },
  }
}

export function openControlCounters(buffer: SharedArrayBuffer): NodeCounters {
  return openSharedCounters(buffer, controlOwner)
}

export function openWorkerCounters(buffer: SharedArrayBuffer, worker: number): NodeCounters {
  return openSharedCounters(buffer, firstWorkerOwner + worker)
}
