/**
 * A thread of either plane. It loads its modules as soon as it is opened, and waits with everything else until it is
 * given its data: the first two threads are opened before the configuration is read, and load beside it.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { ControlThreadData, DataThreadData } from './messages.ts'

/** What a thread is opened with. */
export interface ThreadOpening {
  readonly plane: (ControlThreadData | DataThreadData)['plane']
  /** Brings `ControlThreadData` or `DataThreadData`, once. */
  readonly data: MessagePort
}

export interface PlaneThread {
  readonly worker: Worker
  /** It has ended already, for whatever reason. */
  readonly hasEnded: boolean
  give(data: ControlThreadData | DataThreadData): void
}

/** Opened early; each is taken once. */
export interface EarlyThreads {
  take(plane: ThreadOpening['plane']): PlaneThread | null
}

const threadEntry = new URL('../compose/thread.ts', import.meta.url)
/**
 * A small young generation: what an exchange makes dies at once, so scavenges find nearly nothing to copy. With
 * Node's default the full marking that buffers outside the heap bring on came first, five times a second under load.
 */
const dataThreadMemory = { maxYoungGenerationSizeMb: 48 }

export function openPlaneThread(plane: ThreadOpening['plane'], name: string): PlaneThread {
  const { port1: giving, port2: data } = new MessageChannel()
  let hasEnded = false
  const worker = new Worker(threadEntry, {
    workerData: { plane, data },
    transferList: [data],
    name,
    ...(plane === 'gateway' ? { resourceLimits: dataThreadMemory } : {}),
  })
  worker.once('exit', () => {
    hasEnded = true
    giving.close()
  })
  // Whoever takes it hears of errors; before that, that it has ended is enough.
  worker.on('error', () => {})
  return {
    worker,
    get hasEnded() {
      return hasEnded
    },
    give: (value) => giving.postMessage(value),
  }
}

/** The control plane and the first worker. */
export function openEarlyThreads(): EarlyThreads {
  const threads = new Map([
    ['control', openPlaneThread('control', 'control-plane')],
    ['gateway', openPlaneThread('gateway', 'data-plane-0')],
  ] as const)
  return {
    take(plane) {
      const thread = threads.get(plane)
      threads.delete(plane)
      return thread === undefined || thread.hasEnded ? null : thread
    },
  }
}
