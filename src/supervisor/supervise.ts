/**
 * The main thread: starts the control plane and the data workers as threads, replaces those that die, passes
 * snapshots on, and ends everything in order. It does nothing else: an error here would end all of them.
 *
 *   control ──snapshot──▶ supervisor ──snapshot──▶ every worker        (the last one is kept for new workers)
 *   control ◀────────── usage, over a port of their own ──────────── worker
 */
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Config, sharesRates } from '../config/index.ts'
import type { TlsMaterial } from '../ports/listener.ts'
import { healthBoardBytes } from '../routing/index.ts'
import type { Log } from './log.ts'
import type {
  ControlThreadData,
  DataListenerOptions,
  DataThreadData,
  FromControl,
  FromWorker,
  ToControl,
  ToWorker,
  Welcome,
} from './messages.ts'
import { createSnapshotCache } from './snapshot-cache.ts'

export interface SuperviseOptions {
  readonly config: Config
  readonly configFile: string | null
  readonly directory: string
  readonly extraCertificates: readonly string[]
  readonly log: Log
  /** Makes the memory in which all threads count. */
  readonly createCounters: (workers: number) => CounterMemory
}

/** Memory that outlives every thread but this one. */
export interface CounterMemory {
  readonly buffer: SharedArrayBuffer
  /** A thread has ended: undo what it left half done, and let go of what it held. Null: the control plane. */
  forget(worker: number | null): void
}

export interface Started {
  readonly dataUrls: readonly string[]
  readonly welcome: Welcome
}

export interface Supervisor {
  /** Resolves when the control plane and at least one worker serve. */
  readonly started: Promise<Started>
  readonly incidents: number
  reload(): void
  /** Drain and end; resolves when all threads have ended. */
  stop(): Promise<void>
  /** End worker `index` as a crash would; for tests of what happens then. */
  crashWorker(index: number): Promise<void>
  crashControl(): Promise<void>
}

const controlEntry = new URL('../compose/control-plane.ts', import.meta.url)
const dataEntry = new URL('../compose/data-plane.ts', import.meta.url)
/**
 * A small young generation: what an exchange makes dies at once, so scavenges find nearly nothing to copy. With
 * Node's default the full marking that buffers outside the heap bring on came first, five times a second under load.
 */
const dataThreadMemory = { maxYoungGenerationSizeMb: 48 }
/** A thread that dies sooner than this after its start is replaced with a growing delay. */
const healthyAfterMs = 10_000
const maxRespawnDelayMs = 5000
/** What a thread gets beyond its deadline before it is ended. */
const stopMarginMs = 5000

interface Slot {
  readonly index: number
  worker: Worker | null
  urls: readonly string[]
  startedAt: number
  failures: number
}

class ThreadSupervisor implements Supervisor {
  readonly started: Promise<Started>
  readonly #options: SuperviseOptions
  readonly #cache = createSnapshotCache()
  readonly #slots: readonly Slot[]
  readonly #startedAt = Date.now()
  readonly #run = randomUUID()
  readonly #counters: CounterMemory
  readonly #healthBoard = new SharedArrayBuffer(healthBoardBytes)
  #control: Worker | null = null
  #controlStartedAt = 0
  #controlFailures = 0
  #tls: TlsMaterial | null = null
  #welcome: Welcome | null = null
  #incidents = 0
  #stopping = false
  #hasStarted = false
  #announce: (started: Started) => void = () => {}
  #refuse: (error: Error) => void = () => {}

  constructor(options: SuperviseOptions) {
    this.#options = options
    this.#slots = Array.from({ length: workersOf(options.config) }, (_, index) => ({
      index,
      worker: null,
      urls: [],
      startedAt: 0,
      failures: 0,
    }))
    this.#counters = options.createCounters(this.#slots.length)
    this.started = new Promise<Started>((resolve, reject) => {
      this.#announce = resolve
      this.#refuse = reject
    })
    this.#startControl()
    for (const slot of this.#slots) this.#startWorker(slot)
  }

  get incidents(): number {
    return this.#incidents
  }

  reload(): void {
    this.#toControl({ type: 'reload' })
  }

  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const timeoutMs = this.#options.config.shutdown.drainTimeoutMs
    const drains = this.#slots.map((slot) =>
      endThread(slot.worker, () => toWorker(slot, { type: 'drain', timeoutMs }), timeoutMs + stopMarginMs),
    )
    await Promise.all(drains)
    await endThread(this.#control, () => this.#toControl({ type: 'close' }), 2 * stopMarginMs)
  }

  async crashWorker(index: number): Promise<void> {
    await this.#slots[index]?.worker?.terminate()
  }

  async crashControl(): Promise<void> {
    await this.#control?.terminate()
  }

  #toControl(message: ToControl, transfer: readonly MessagePort[] = []): void {
    this.#control?.postMessage(message, transfer)
  }

  /** A port of their own for worker and control plane, anew whenever one of them starts. */
  #connect(slot: Slot): void {
    if (this.#control === null || slot.worker === null) return
    const { port1, port2 } = new MessageChannel()
    this.#toControl({ type: 'worker', index: slot.index, port: port1 }, [port1])
    toWorker(slot, { type: 'control', port: port2 }, [port2])
  }

  #reportWorkers(): void {
    const running = this.#slots.filter((slot) => slot.urls.length > 0)
    const counts = { configured: this.#slots.length, running: running.length, restarts: this.#incidents }
    const dataUrls = running[0]?.urls ?? []
    this.#toControl({ type: 'workers', counts, urls: dataUrls })
    if (this.#welcome === null || dataUrls.length === 0) return
    this.#hasStarted = true
    this.#announce({ dataUrls, welcome: this.#welcome })
  }

  #fail(text: string): void {
    if (!this.#hasStarted) this.#refuse(new Error(text))
    else this.#options.log({ level: 'error', code: 'thread.refused', text })
  }

  #reportEnd(thread: string, error: unknown): void {
    this.#options.log({ level: 'error', code: 'thread.ended', text: `${thread} ended: ${originOf(error)}` })
  }

  #startControl(): void {
    const { config, configFile, directory } = this.#options
    const workerData: ControlThreadData = {
      config,
      configFile,
      directory,
      startedAt: this.#startedAt,
      healthBoard: this.#healthBoard,
      counters: this.#counters.buffer,
      run: this.#run,
    }
    const thread = new Worker(controlEntry, { workerData, name: 'control-plane' })
    this.#control = thread
    this.#controlStartedAt = Date.now()
    thread.on('message', (message: FromControl) => this.#onControl(message))
    thread.on('error', (error) => this.#reportEnd('The control plane', error))
    thread.on('exit', () => {
      this.#control = null
      this.#counters.forget(null)
      if (this.#stopping) return
      this.#incidents += 1
      this.#controlFailures = failuresAfter(this.#controlFailures, this.#controlStartedAt)
      setTimeout(() => this.#startControl(), respawnDelay(this.#controlFailures))
    })
    for (const slot of this.#slots) this.#connect(slot)
  }

  #onControl(message: FromControl): void {
    switch (message.type) {
      case 'snapshot':
        this.#cache.add(message.message)
        for (const slot of this.#slots) toWorker(slot, message)
        return
      case 'tls':
        this.#tls = message.material
        for (const slot of this.#slots) toWorker(slot, message)
        return
      case 'ready':
        this.#welcome = message.welcome
        return this.#reportWorkers()
      case 'refused':
        return this.#fail(message.text)
      case 'log':
        return this.#options.log(message.entry)
    }
  }

  #startWorker(slot: Slot): void {
    const { config, extraCertificates } = this.#options
    const workerData: DataThreadData = {
      healthBoard: this.#healthBoard,
      index: slot.index,
      listeners: dataListeners(config),
      reusePort: this.#slots.length > 1,
      usageHeldBytes: config.usage.heldBytes,
      providerRows: config.providers ?? [],
      extraCertificates,
      counters: this.#counters.buffer,
      sharesRates: sharesRates(config),
    }
    const thread = new Worker(dataEntry, {
      workerData,
      name: `data-plane-${slot.index}`,
      resourceLimits: dataThreadMemory,
    })
    slot.worker = thread
    slot.startedAt = Date.now()
    thread.on('message', (message: FromWorker) => this.#onWorker(slot, message))
    thread.on('error', (error) => this.#reportEnd(`Data plane worker ${slot.index}`, error))
    thread.on('exit', () => {
      slot.worker = null
      slot.urls = []
      this.#counters.forget(slot.index)
      if (this.#stopping) return
      this.#incidents += 1
      slot.failures = failuresAfter(slot.failures, slot.startedAt)
      this.#reportWorkers()
      setTimeout(() => this.#startWorker(slot), respawnDelay(slot.failures))
    })
    if (this.#tls !== null) toWorker(slot, { type: 'tls', material: this.#tls })
    for (const message of this.#cache.replay()) toWorker(slot, { type: 'snapshot', message })
    this.#connect(slot)
  }

  #onWorker(slot: Slot, message: FromWorker): void {
    switch (message.type) {
      case 'listening':
        slot.urls = message.urls
        return this.#reportWorkers()
      case 'refused':
        return this.#fail(message.text)
      case 'log':
        return this.#options.log(message.entry)
    }
  }
}

/** Start everything. */
export function supervise(options: SuperviseOptions): Supervisor {
  return new ThreadSupervisor(options)
}

function toWorker(slot: Slot, message: ToWorker, transfer: readonly MessagePort[] = []): void {
  slot.worker?.postMessage(message, transfer)
}

/** Class and place of an error, without its message: messages may quote request data. */
function originOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason'
  const frame = (error.stack ?? '').split('\n').find((line) => line.includes('.ts:'))
  const code = (error as { code?: unknown }).code
  return `${typeof code === 'string' ? code : error.name}${frame === undefined ? '' : ` ${frame.trim()}`}`
}

function failuresAfter(failures: number, startedAt: number): number {
  return Date.now() - startedAt > healthyAfterMs ? 1 : failures + 1
}

function workersOf(config: Config): number {
  // Where ports cannot be shared between threads, one worker serves (Node documents reusePort for these systems).
  if (process.platform !== 'linux' && process.platform !== 'freebsd') return 1
  return config.gateway.workers === 0 ? Math.max(1, availableParallelism()) : config.gateway.workers
}

function dataListeners(config: Config): DataListenerOptions[] {
  const { http, https } = config.gateway
  return [
    { ...http, tls: false },
    { ...https, tls: true },
  ].filter((listener) => listener.enabled)
}

function respawnDelay(failures: number): number {
  return failures <= 1 ? 0 : Math.min(maxRespawnDelayMs, 100 * 2 ** failures)
}

/** Ask a thread to end; end it when it has not after `timeoutMs`. */
async function endThread(thread: Worker | null, ask: () => void, timeoutMs: number): Promise<void> {
  if (thread === null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => void thread.terminate(), timeoutMs)
    thread.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    ask()
  })
}
