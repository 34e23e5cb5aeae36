/**
 * The main thread: starts the control plane and the data workers as threads, replaces those that die, passes
 * snapshots on, and ends everything in order. It does nothing else: an error here would end all of them.
 *
 *   control ──snapshot──▶ supervisor ──snapshot──▶ every worker        (the last one is kept for new workers)
 *   control ◀────────── usage, over a port of their own ──────────── worker
 */
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import { type Config, sharesRates } from '../config/index.ts'
import type { TlsMaterial } from '../ports/listener.ts'
import { healthBoardBytes } from '../routing/index.ts'
import { createMetrics, type MetricReader, openMetricReader } from '../telemetry/index.ts'
import type { Log } from './log.ts'
import type {
  DataListenerOptions,
  FromControl,
  FromWorker,
  ToControl,
  ToWorker,
  Welcome,
} from './messages.ts'
import { type EarlyThreads, openPlaneThread, type PlaneThread } from './plane-thread.ts'
import { createSnapshotCache } from './snapshot-cache.ts'

export interface SuperviseOptions {
  readonly config: Config
  readonly configFile: string | null
  /** `--data-dir`, which goes before the file. */
  readonly dataDir?: string
  readonly directory: string
  readonly extraCertificates: readonly string[]
  readonly log: Log
  /** Makes the memory in which all threads count. */
  readonly createCounters: (workers: number) => CounterMemory
  /** Threads that are loading already. */
  readonly early?: EarlyThreads
}

/** Memory that outlives every thread but this one. */
export interface CounterMemory {
  readonly buffer: SharedArrayBuffer
  /** Where the workers count their connections. */
  readonly connections: SharedArrayBuffer
  /** Proofs of possession that were used. */
  readonly proofs: SharedArrayBuffer
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

/** A thread that dies sooner than this after its start is replaced with a growing delay. */
const healthyAfterMs = 10_000
const maxRespawnDelayMs = 5000
/** A start in which one thread dies as often as this without ever having been ready is given up. */
const maxStartAttempts = 5
/** What a thread gets beyond its deadline before it is ended. */
const stopMarginMs = 5000

/** How it went with the threads that have been in one place. */
interface Lives {
  readonly name: string
  startedAt: number
  /** The one that runs, or ran last, has been ready. */
  isReady: boolean
  failures: number
  /** Of the last end; empty where none is known. */
  reason: string
}

interface Slot {
  readonly index: number
  readonly lives: Lives
  worker: Worker | null
  urls: readonly string[]
}

class ThreadSupervisor implements Supervisor {
  readonly started: Promise<Started>
  readonly #options: SuperviseOptions
  readonly #cache = createSnapshotCache()
  readonly #slots: readonly Slot[]
  readonly #startedAt = Date.now()
  readonly #run = randomUUID()
  readonly #counters: CounterMemory
  readonly #metrics: SharedArrayBuffer
  readonly #metricReader: MetricReader
  readonly #healthBoard = new SharedArrayBuffer(healthBoardBytes)
  readonly #controlLives = newLives('The control plane')
  #control: Worker | null = null
  /** In force. What workers and listeners take of it is read at the start only, and never changes. */
  #config: Config
  #tls: TlsMaterial | null = null
  #welcome: Welcome | null = null
  #incidents = 0
  #stopping = false
  #hasStarted = false
  #isRefused = false
  #announce: (started: Started) => void = () => {}
  #refuse: (error: Error) => void = () => {}

  constructor(options: SuperviseOptions) {
    this.#options = options
    this.#config = options.config
    this.#slots = Array.from({ length: workersOf(options.config) }, (_, index) => ({
      index,
      lives: newLives(`Data plane worker ${index}`),
      worker: null,
      urls: [],
    }))
    this.#counters = options.createCounters(this.#slots.length)
    this.#metrics = createMetrics(this.#slots.length)
    this.#metricReader = openMetricReader(this.#metrics)
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
    if (this.#hasStarted) return this.#options.log({ level: 'error', code: 'thread.refused', text })
    this.#isRefused = true
    this.#refuse(new Error(text))
  }

  #reportEnd(lives: Lives, error: unknown): void {
    lives.reason = originOf(error)
    const text = `${lives.name} ended: ${lives.reason}`
    this.#options.log({ level: 'error', code: 'thread.ended', text })
  }

  /** Calls `start` after a delay that grows with the failures, until the start is given up. */
  #replace(lives: Lives, start: () => void): void {
    if (this.#stopping || this.#isRefused) return
    this.#incidents += 1
    const wasHealthy = lives.isReady && Date.now() - lives.startedAt > healthyAfterMs
    lives.failures = wasHealthy ? 1 : lives.failures + 1
    if (!this.#hasStarted && lives.failures >= maxStartAttempts) {
      const reason = lives.reason === '' ? '' : ` The last reason: ${lives.reason}.`
      const text = `${lives.name} ended ${lives.failures} times before it was ready.${reason}`
      return this.#fail(`Gatewright cannot start.\n  ${text}`)
    }
    setTimeout(start, respawnDelay(lives.failures))
  }

  #open(plane: 'control' | 'gateway', name: string): PlaneThread {
    return this.#options.early?.take(plane) ?? openPlaneThread(plane, name)
  }

  #startControl(): void {
    if (this.#stopping || this.#isRefused) return
    const { configFile, directory, dataDir } = this.#options
    const { worker: thread, give } = this.#open('control', 'control-plane')
    give({
      plane: 'control',
      config: this.#config,
      configFile,
      dataDir: dataDir ?? null,
      directory,
      startedAt: this.#startedAt,
      healthBoard: this.#healthBoard,
      counters: this.#counters.buffer,
      metrics: this.#metrics,
      run: this.#run,
    })
    this.#control = thread
    begin(this.#controlLives)
    thread.on('message', (message: FromControl) => this.#onControl(message))
    thread.on('error', (error) => this.#reportEnd(this.#controlLives, error))
    thread.on('exit', () => {
      this.#control = null
      this.#counters.forget(null)
      this.#replace(this.#controlLives, () => this.#startControl())
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
        this.#controlLives.isReady = true
        this.#welcome = message.welcome
        return this.#reportWorkers()
      case 'configuration':
        this.#config = message.config
        return
      case 'refused':
        return this.#fail(message.text)
      case 'log':
        return this.#options.log(message.entry)
    }
  }

  #startWorker(slot: Slot): void {
    if (this.#stopping || this.#isRefused) return
    const { config, extraCertificates } = this.#options
    const { worker: thread, give } = this.#open('gateway', `data-plane-${slot.index}`)
    give({
      plane: 'gateway',
      healthBoard: this.#healthBoard,
      index: slot.index,
      listeners: dataListeners(config),
      reusePort: this.#slots.length > 1,
      usageHeldBytes: config.usage.heldBytes,
      providerRows: config.providers ?? [],
      extraCertificates,
      counters: this.#counters.buffer,
      connections: this.#counters.connections,
      proofs: this.#counters.proofs,
      metrics: this.#metrics,
      sharesRates: sharesRates(config),
    })
    slot.worker = thread
    begin(slot.lives)
    thread.on('message', (message: FromWorker) => this.#onWorker(slot, message))
    thread.on('error', (error) => this.#reportEnd(slot.lives, error))
    thread.on('exit', () => {
      slot.worker = null
      slot.urls = []
      this.#counters.forget(slot.index)
      this.#metricReader.forget(slot.index)
      this.#replace(slot.lives, () => this.#startWorker(slot))
      this.#reportWorkers()
    })
    if (this.#tls !== null) toWorker(slot, { type: 'tls', material: this.#tls })
    for (const message of this.#cache.replay()) toWorker(slot, { type: 'snapshot', message })
    this.#connect(slot)
  }

  #onWorker(slot: Slot, message: FromWorker): void {
    switch (message.type) {
      case 'listening':
        slot.lives.isReady = true
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

function newLives(name: string): Lives {
  return { name, startedAt: 0, isReady: false, failures: 0, reason: '' }
}

function begin(lives: Lives): void {
  lives.startedAt = Date.now()
  lives.isReady = false
  lives.reason = ''
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
