/**
 * The main thread: starts the control plane and the data workers as threads, replaces those that die, passes
 * snapshots on, and ends everything in order. It does nothing else: an error here would end all of them.
 *
 *   control ──snapshot──▶ supervisor ──snapshot──▶ every worker        (the last one is kept for new workers)
 *   control ◀────────── usage, over a port of their own ──────────── worker
 */
import { availableParallelism } from 'node:os'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Config } from '../config/index.ts'
import type { TlsMaterial } from '../ports/listener.ts'
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
  readonly log: (text: string) => void
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
/** A thread that dies sooner than this after its start is replaced with a growing delay. */
const healthyAfterMs = 10_000
const maxRespawnDelayMs = 5000

interface Slot {
  readonly index: number
  worker: Worker | null
  urls: readonly string[]
  startedAt: number
  failures: number
}

/** Start everything. */
export function supervise(options: SuperviseOptions): Supervisor {
  const { config } = options
  const cache = createSnapshotCache()
  const workerCount = workersOf(config)
  const slots: Slot[] = Array.from({ length: workerCount }, (_, index) => ({
    index,
    worker: null,
    urls: [],
    startedAt: 0,
    failures: 0,
  }))
  const startedAt = Date.now()
  let control: Worker | null = null
  let controlStartedAt = 0
  let controlFailures = 0
  let tls: TlsMaterial | null = null
  let welcome: Welcome | null = null
  let incidents = 0
  let stopping = false
  let announce: ((started: Started) => void) | null = null
  let refuse: ((error: Error) => void) | null = null
  const started = new Promise<Started>((resolve, reject) => {
    announce = resolve
    refuse = reject
  })

  const toControl = (message: ToControl, transfer: MessageChannel['port1'][] = []): void =>
    control?.postMessage(message, transfer)
  const toWorker = (slot: Slot, message: ToWorker, transfer: MessageChannel['port1'][] = []): void =>
    slot.worker?.postMessage(message, transfer)

  function connect(slot: Slot): void {
    if (control === null || slot.worker === null) return
    const { port1, port2 } = new MessageChannel()
    toControl({ type: 'worker', index: slot.index, port: port1 }, [port1])
    toWorker(slot, { type: 'control', port: port2 }, [port2])
  }

  function reportWorkers(): void {
    const running = slots.filter((slot) => slot.urls.length > 0)
    const counts = { configured: workerCount, running: running.length, restarts: incidents }
    toControl({ type: 'workers', counts, urls: running[0]?.urls ?? [] })
    if (welcome !== null && running[0] !== undefined) announce?.({ dataUrls: running[0].urls, welcome })
  }

  function fail(text: string): void {
    if (announce !== null && refuse !== null && welcome === null) refuse(new Error(text))
    else options.log(text)
  }

  function startControl(): void {
    const workerData: ControlThreadData = {
      config,
      configFile: options.configFile,
      directory: options.directory,
      startedAt,
    }
    const thread = new Worker(controlEntry, { workerData, name: 'control-plane' })
    control = thread
    controlStartedAt = Date.now()
    thread.on('message', onControl)
    thread.on('error', (error) => options.log(`control plane: ${error.name}`))
    thread.on('exit', () => {
      control = null
      if (stopping) return
      incidents += 1
      controlFailures = Date.now() - controlStartedAt > healthyAfterMs ? 0 : controlFailures + 1
      setTimeout(startControl, respawnDelay(controlFailures))
    })
    for (const slot of slots) connect(slot)
  }

  function onControl(message: FromControl): void {
    switch (message.type) {
      case 'snapshot':
        cache.add(message.message)
        for (const slot of slots) toWorker(slot, message)
        return
      case 'tls':
        tls = message.material
        for (const slot of slots) toWorker(slot, message)
        return
      case 'ready':
        welcome = message.welcome
        reportWorkers()
        return
      case 'refused':
        return fail(message.text)
      case 'log':
        return options.log(message.text)
      case 'closed':
        return
    }
  }

  function startWorker(slot: Slot): void {
    const workerData: DataThreadData = {
      index: slot.index,
      listeners: dataListeners(config),
      reusePort: workerCount > 1,
      providerRows: config.providers ?? [],
      extraCertificates: options.extraCertificates,
    }
    const thread = new Worker(dataEntry, { workerData, name: `data-plane-${slot.index}` })
    slot.worker = thread
    slot.startedAt = Date.now()
    thread.on('message', (message: FromWorker) => onWorker(slot, message))
    thread.on('error', (error) => options.log(`data plane worker ${slot.index}: ${error.name}`))
    thread.on('exit', () => {
      slot.worker = null
      slot.urls = []
      if (stopping) return
      incidents += 1
      slot.failures = Date.now() - slot.startedAt > healthyAfterMs ? 0 : slot.failures + 1
      reportWorkers()
      setTimeout(() => startWorker(slot), respawnDelay(slot.failures))
    })
    if (tls !== null) toWorker(slot, { type: 'tls', material: tls })
    for (const message of cache.replay()) toWorker(slot, { type: 'snapshot', message })
    connect(slot)
  }

  function onWorker(slot: Slot, message: FromWorker): void {
    switch (message.type) {
      case 'listening':
        slot.urls = message.urls
        return reportWorkers()
      case 'refused':
        return fail(message.text)
      case 'log':
        return options.log(message.text)
      case 'drained':
        return
    }
  }

  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    const timeoutMs = config.shutdown.drainTimeoutMs
    await Promise.all(
      slots.map((slot) =>
        endThread(slot.worker, () => toWorker(slot, { type: 'drain', timeoutMs }), timeoutMs + 5000),
      ),
    )
    await endThread(control, () => toControl({ type: 'close' }), 10_000)
  }

  startControl()
  for (const slot of slots) startWorker(slot)

  return {
    started,
    get incidents() {
      return incidents
    },
    reload: () => toControl({ type: 'reload' }),
    stop,
    crashWorker: async (index) => {
      await slots[index]?.worker?.terminate()
    },
    crashControl: async () => {
      await control?.terminate()
    },
  }
}

function workersOf(config: Config): number {
  // Where ports cannot be shared between threads, one worker serves (Node documents reusePort for these systems).
  if (process.platform !== 'linux' && process.platform !== 'freebsd') return 1
  return config.gateway.workers === 0 ? Math.max(1, availableParallelism()) : config.gateway.workers
}

function dataListeners(config: Config): DataListenerOptions[] {
  const { http, https } = config.gateway
  const listeners: DataListenerOptions[] = []
  if (http.enabled) listeners.push({ host: http.host, port: http.port, tls: false })
  if (https.enabled) listeners.push({ host: https.host, port: https.port, tls: true })
  return listeners
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
