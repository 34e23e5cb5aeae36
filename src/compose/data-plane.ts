/**
 * Composition of one data-plane thread: the gateway joined to its listeners, the upstream client, the sandbox and
 * the channels to supervisor and control plane.
 */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { createHttp1Client } from '../adapters/http1/client.ts'
import { openConnectionBoard } from '../adapters/http1/connection-board.ts'
import { openHttpListener } from '../adapters/http1/server.ts'
import { createMemoryResponseCache } from '../adapters/memory/memory-response-cache.ts'
import { createThreadCounters } from '../adapters/thread-counters/thread-central-counters.ts'
import { createThreadIdempotencyBook } from '../adapters/thread-idempotency/thread-idempotency-book.ts'
import type { GatewayBounds, SnapshotMessage } from '../domain/snapshot.ts'
import { createEgressGuard } from '../egress/index.ts'
import {
  countCollections,
  createContentOutbox,
  createGateway,
  createLoadMetrics,
  createRefusalOutbox,
  createUsageOutbox,
  defaultOutboxBounds,
} from '../gateway/index.ts'
import { type AddressMatcher, compileCidrs, openReplayStore } from '../identity/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { requestIds } from '../kernel/ids.ts'
import { createTimerWheel } from '../kernel/timer-wheel.ts'
import { createLimiter } from '../limits/index.ts'
import type { Listener, ListenerRefusal, TlsMaterial } from '../ports/listener.ts'
import {
  createCatalogue,
  createSandbox,
  createSandboxClient,
  createTokenFetcher,
  dialects,
} from '../providers/index.ts'
import { createHealthBook, openHealthBoard } from '../routing/index.ts'
import type { DataThreadData, FromWorker, ToWorker } from '../supervisor/messages.ts'
import { metrics, openMetricWriter } from '../telemetry/index.ts'
import { createTraceOutbox } from '../tracing/index.ts'
import { createAlertOutbox } from './alert-outbox.ts'
import { openWorkerCounters } from './counter-memory.ts'
import { describeStartRefusal } from './describe-refusal.ts'
import { createLargeBodyReader } from './large-body-reader.ts'
import { receiveThreadData } from './thread-data.ts'
import { createTokenLine } from './token-line.ts'
import type { ControlToWorker, WorkerToControl } from './worker-channel.ts'

const data = await receiveThreadData<DataThreadData>()
const supervisor = parentPort
if (supervisor === null) throw new TypeError('the data plane runs as a thread')
const tell = (message: FromWorker): void => supervisor.postMessage(message)

const timers = createTimerWheel()
const refusals = createRefusalOutbox(timers)
const outboxBounds = { ...defaultOutboxBounds, maxHeldBytes: data.usageHeldBytes }
const outbox = createUsageOutbox(timers, outboxBounds, (dropped) => refusals.addDropped(dropped))
const contents = createContentOutbox()
const alerts = createAlertOutbox()
const traces = createTraceOutbox(timers)
const idempotency = createThreadIdempotencyBook(timers)
const tokenLine = createTokenLine(timers)
const network = createHttp1Client({ egress: createEgressGuard(), extraCertificates: data.extraCertificates })
const upstream = createSandboxClient(createSandbox({ dialects, now: systemClock.now }), network)
const central = createThreadCounters()
const limiter = createLimiter({
  counters: openWorkerCounters(data.counters, data.index),
  calendarCounters: central.open('calendar'),
  rateCounters: data.sharesRates ? central.open('rates') : null,
  clock: systemClock,
  timers,
  onAlert: (sighting) => alerts.add(sighting),
})
const metricWriter = openMetricWriter(data.metrics, data.index)
countCollections(metricWriter)
const gateway = createGateway({
  limiter,
  upstream,
  timers,
  idempotency,
  largeBodies: createLargeBodyReader(),
  responses: createMemoryResponseCache(systemClock.now),
  clock: systemClock,
  random: Math.random,
  recordUsage: (record, eventClass, stored) => outbox.add(record, eventClass, stored),
  recordRefusal: (refusal) => refusals.add(refusal),
  canRecord: () => outbox.hasRoom,
  recordTrace: (record) => traces.add(record),
  note: ({ level, requestId, code, internal }) =>
    tell({ type: 'log', entry: { level, requestId, code, text: internal } }),
  logContent(record) {
    if (contents.add(record)) return
    const text = 'The content of this exchange is lost: too much waits for the control plane.'
    tell({ type: 'log', entry: { level: 'warn', requestId: record.id, code: 'content.lost', text } })
  },
  catalogue: createCatalogue(data.providerRows),
  health: createHealthBook(openHealthBoard(data.healthBoard)),
  auth: { now: systemClock.now, fetchToken: createTokenFetcher(network) },
  metricWriter,
  tokens: { line: tokenLine, replays: openReplayStore(data.proofs) },
})

let listeners: Listener[] = []
let tls: TlsMaterial | null = null
let bounds: GatewayBounds | null = null
let isTrustedProxy: AddressMatcher = () => false
let opening = false
let hasKeys = false

/** A handler that throws is our own mistake; the listener has answered or cut the exchange already. */
function handlerFailed(error: unknown): void {
  const text = error instanceof Error ? error.name : 'unknown'
  tell({ type: 'log', entry: { level: 'error', code: 'gateway.handler', requestId: '', text } })
}

/** Some sink asks for events. */
let tellsRefusals = false
const connectionIds = requestIds()

/** What never became a request: counted with the refusals of strangers, within the same bounds. */
function connectionRefused({ reason, status, address }: ListenerRefusal): void {
  if (!tellsRefusals) return
  const [id, time] = [connectionIds(), systemClock.now()]
  refusals.add({ id, time, fault: reason, status, address, operation: '', ofConnection: true })
}

/** Handshakes are few beside what they cost: the cell is looked up anew. */
function countHandshake(version: string | null): void {
  const result = version === null ? 'failed' : 'ok'
  metricWriter.add(metricWriter.bind(metrics.tlsHandshakes, [version ?? 'none', result]), 1)
}

/** Listen as soon as configuration, keys and, for HTTPS, a certificate are there: never before. */
async function listenWhenReady(): Promise<void> {
  const needsTls = data.listeners.some((listener) => listener.tls)
  if (opening || bounds === null || !hasKeys || (needsTls && tls === null)) return
  opening = true
  const current = bounds
  const connections = openConnectionBoard(data.connections, data.index)
  try {
    listeners = await Promise.all(
      data.listeners.map(({ host, port, tls: encrypted, proxyProtocolFrom }) =>
        openHttpListener(
          {
            host,
            port,
            reusePort: data.reusePort,
            bounds: current,
            connections,
            handlerFailed,
            handshakeEnded: countHandshake,
            refused: connectionRefused,
            isShared: (address) => isTrustedProxy(address),
            ...(proxyProtocolFrom.length > 0 ? { isProxy: compileCidrs(proxyProtocolFrom) } : {}),
            ...(encrypted && tls !== null ? { tls } : {}),
          },
          gateway.handle,
        ),
      ),
    )
    tell({
      type: 'listening',
      urls: listeners.map((listener, at) => urlOf(listener, data.listeners[at]?.tls === true)),
    })
  } catch (error) {
    tell({ type: 'refused', text: refusalText(error) })
    process.exit(1)
  }
}

function urlOf(listener: Listener, encrypted: boolean): string {
  const { host, port } = listener.address
  return `${encrypted ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function refusalText(error: unknown): string {
  return describeStartRefusal(error, { dataDirectory: null, plane: 'gateway' })
}

const loadEveryMs = 2000
const publishEveryMs = 1000

const publishLoad = createLoadMetrics(metricWriter, String(data.index))
setInterval(() => {
  const { open, load, queue, labelOf } = gateway
  publishLoad({ open, load, queue, labelOf, heldBytes: outbox.heldBytes })
}, publishEveryMs).unref()

function connectControl(port: MessagePort): void {
  const send = (message: WorkerToControl): void => port.postMessage(message)
  port.on('message', (message: ControlToWorker) => {
    if (message.type === 'idempotency-outcome') idempotency.answer(message)
    else if (message.type === 'counters-answer') central.answer(message)
    else if (message.type === 'usage-stored') outbox.acknowledge(message.sequence)
    else if (message.type === 'usage-refused') outbox.refuse(message.sequence)
    else if (message.type === 'refusals-stored') refusals.acknowledge(message.sequence)
    else if (message.type === 'refusals-refused') refusals.refuse(message.sequence)
    else if (message.type === 'alert-taken') alerts.acknowledge(message.sequence)
    else if (message.type === 'token-answer') tokenLine.answer(message)
    else if (message.type === 'traces-taken') traces.acknowledge(message.sequence)
    else contents.acknowledge(message.sequence)
  })
  idempotency.connect(send)
  central.connect(send)
  alerts.connect(send)
  traces.connect(send)
  tokenLine.connect(send)
  port.on('close', () => {
    central.disconnect(send)
    tokenLine.disconnect(send)
  })
  contents.connect((sequence, record) => {
    const message: WorkerToControl = { type: 'content', sequence, record }
    port.postMessage(message, [
      record.request.kept.buffer as ArrayBuffer,
      record.response.kept.buffer as ArrayBuffer,
    ])
  })
  outbox.connect(({ sequence, lines }) => send({ type: 'usage', sequence, lines }))
  refusals.connect((batch) => send({ type: 'refusals', ...batch }))
  const { index: worker } = data
  const tellLoad = setInterval(
    () => send({ type: 'load', load: { worker, underWay: gateway.open, ...gateway.load, ...gateway.queue } }),
    loadEveryMs,
  )
  tellLoad.unref()
  port.on('close', () => clearInterval(tellLoad))
}

async function drain(timeoutMs: number): Promise<void> {
  gateway.startDraining()
  const deadline = setTimeout(() => {
    for (const listener of listeners) listener.destroy()
  }, timeoutMs)
  await Promise.all(listeners.map((listener) => listener.drain()))
  clearTimeout(deadline)
  limiter.close()
  traces.flush()
  outbox.flush()
  refusals.flush()
  for (let waited = 0; !(outbox.isEmpty && refusals.isEmpty) && waited < 3000; waited += 20) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  upstream.close()
  process.exit(0)
}

/** A snapshot that cannot be compiled here leaves the one in force; the control plane proves each before it sends. */
function applySnapshot(message: SnapshotMessage): boolean {
  try {
    gateway.apply(message)
    return true
  } catch (error) {
    const text = error instanceof Error ? error.name : 'unknown'
    tell({ type: 'log', entry: { level: 'error', code: 'gateway.snapshot', requestId: '', text } })
    return false
  }
}

supervisor.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'snapshot':
      if (!applySnapshot(message.message)) return
      if (message.message.type === 'config') {
        bounds = message.message.config.bounds
        tellsRefusals = message.message.config.events !== undefined
        const { trustedProxies } = message.message.config
        isTrustedProxy = trustedProxies.length === 0 ? () => false : compileCidrs(trustedProxies)
        for (const listener of listeners) listener.setBounds(bounds)
      } else hasKeys = true
      void listenWhenReady()
      return
    case 'tls':
      tls = message.material
      for (const [at, listener] of listeners.entries())
        if (data.listeners[at]?.tls === true) listener.setTls(message.material)
      void listenWhenReady()
      return
    case 'control':
      return connectControl(message.port)
    case 'drain':
      void drain(message.timeoutMs)
  }
})
