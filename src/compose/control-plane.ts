/**
 * Composition of the control-plane thread: storage, secrets, resources, publishing, usage, admin API and its
 * listeners. `start` is the order of the steps; each one may rely on all before it.
 */

import { unwatchFile, watchFile } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { type DataDirectory, openDataDirectory } from '../adapters/data-directory/data-directory.ts'
import { createHttp1Client } from '../adapters/http1/client.ts'
import { createMemoryIdempotencyBook } from '../adapters/memory/memory-idempotency-book.ts'
import type { AdminDependencies, StatusReport } from '../admin/context.ts'
import { createAdminApi } from '../admin/create-admin-api.ts'
import { type LoadedConfig, readEnvironment, readSecretReference } from '../config/index.ts'
import type { Deployment } from '../domain/entities.ts'
import type { DeploymentSnapshot, SnapshotConfig } from '../domain/snapshot.ts'
import type { WorkerLoad } from '../domain/worker-load.ts'
import { createEgressGuard } from '../egress/index.ts'
import { createLiveHub } from '../events/index.ts'
import { faults } from '../faults/catalogue.ts'
import { checkSnapshot } from '../gateway/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { defaultPrices } from '../metering/index.ts'
import {
  compileDeployment,
  createCatalogue,
  createSandbox,
  createSandboxClient,
  createTokenFetcher,
  dialects,
} from '../providers/index.ts'
import { createPublisher, openDeployment, sandboxProvider } from '../publishing/index.ts'
import {
  applyDocument,
  applyEnvironment,
  createDocumentManager,
  makeFirstObjects,
} from '../resources/index.ts'
import type { Log, LogEntry } from '../supervisor/log.ts'
import type { ControlThreadData, FromControl, Welcome, WorkerCounts } from '../supervisor/messages.ts'
import { openControlMetricWriter, openMetricReader } from '../telemetry/index.ts'
import { type AuditDesk, openAuditDesk } from './audit-desk.ts'
import { type OpenedCounters, openCentralCounters } from './central-counters.ts'
import { type ContentIntake, openContentIntake } from './content-intake.ts'
import { openControlListeners } from './control-listeners.ts'
import { isFileManaged, isSandboxEnabled, snapshotSettings, usageRetention } from './control-settings.ts'
import { describeStartRefusal } from './describe-refusal.ts'
import { type EventDelivery, openEventDelivery } from './event-delivery.ts'
import { createExchangeLane } from './exchange-lane.ts'
import { explainLiveLimits } from './explain-live-limits.ts'
import { ensureLocalToken, makeFirstKey, offerSetup } from './first-access.ts'
import { findProviders } from './found-providers.ts'
import { openKeyCare } from './key-care.ts'
import { createKeyTeller } from './key-notices.ts'
import { loadConfiguration } from './load-configuration.ts'
import { collectMetrics, type NodeMetricsParts } from './node-metrics.ts'
import { openDatabase } from './open-database.ts'
import { createReloader, type InForce } from './reloader.ts'
import { countAnswers, createAttendedThrottle, createDenialCounter } from './sign-ins.ts'
import { createStatus } from './status.ts'
import { listenToSupervisor } from './supervisor-messages.ts'
import { openTargetHealthDesk } from './target-health.ts'
import { receiveThreadData } from './thread-data.ts'
import { createTlsSource } from './tls-material.ts'
import { openTokenDesk } from './token-desk.ts'
import { openToldAlerts, type ToldAlerts } from './told-alerts.ts'
import { openTraceIntake, type TraceIntake } from './trace-intake.ts'
import { tryDeployment } from './try-deployment.ts'
import { openUsageIntake, type UsageIntake } from './usage-intake.ts'
import { connectWorker } from './worker-messages.ts'

const data = await receiveThreadData<ControlThreadData>()
const supervisor = parentPort
if (supervisor === null) throw new TypeError('the control plane runs as a thread')
const tell = (message: FromControl): void => supervisor.postMessage(message)
const log: Log = (entry) => tell({ type: 'log', entry })
const warnOf =
  (code: string) =>
  (text: string): void =>
    log({ level: 'warn', code, text })
const environment = readEnvironment()
const readReference = (reference: string): string | null =>
  readSecretReference(reference, environment, data.directory)
const catalogue = createCatalogue(data.config.providers ?? [])
const egress = createEgressGuard()
const network = createHttp1Client({ egress })
const client = createSandboxClient(createSandbox({ dialects, now: systemClock.now }), network)
const auth = { now: systemClock.now, fetchToken: createTokenFetcher(network) }

const targetHealth = openTargetHealthDesk(data.healthBoard, { catalogue, auth, client })
const metricReader = openMetricReader(data.metrics)
const metricWriter = openControlMetricWriter(data.metrics)
const idempotency = createMemoryIdempotencyBook(systemClock.now)
/** What happens on this node, for those who watch. */
const live = createLiveHub({ monotonic: systemClock.monotonic })

const inForce: InForce = {
  loaded: { config: data.config, file: data.configFile, lineOf: () => 0 },
  reload: { at: data.startedAt, isRefused: false },
}
/** The configuration that the workers have; null: none yet. */
let published: SnapshotConfig | null = null
const noWorkers: WorkerCounts = { configured: 0, running: 0, restarts: 0 }
let workers: { counts: WorkerCounts; urls: readonly string[] } = { counts: noWorkers, urls: [] }

function openUsage(directory: DataDirectory): Promise<UsageIntake> {
  return openUsageIntake({
    directory: directory.usageDirectory,
    retentionDays: data.config.usage.retentionDays,
    sumsKept: () => usageRetention(inForce.loaded.config),
    log: warnOf('usage.storage'),
    live,
    // Nothing of the thread is worth more than knowing what is on disk: it ends, and its successor opens all anew.
    onBroken: () => process.exit(1),
  })
}

async function openStorage(directory: DataDirectory) {
  const { storage: config } = data.config
  const workingDirectory = data.directory
  const { otherRootKeyFiles } = data.config.secrets
  const parts = { config, otherRootKeyFiles, directory, workingDirectory, readReference, log }
  const database = await openDatabase(parts)
  const { store, secretBox, peppers } = database
  const access = { store, clock: systemClock, peppers: () => peppers.opened }
  const sources = () => ({
    settings: snapshotSettings(inForce.loaded.config, peppers.opened.encoded),
    secretBox,
    readReference,
    checkDeployment,
  })
  return { ...database, access, sources }
}
type Storage = Awaited<ReturnType<typeof openStorage>>

/** First objects of a new installation; returns its first API key, or null. */
async function settleIn({ store, access }: Storage, directory: DataDirectory): Promise<string | null> {
  const first = await makeFirstObjects(store, { now: systemClock.now(), sandboxProvider })
  const apiKey = first === null ? null : await makeFirstKey(access, first)
  await ensureLocalToken(access, directory.adminTokenFile)
  return apiKey
}

/** Bring the store to `gatewright.yaml` and the environment; returns the deployments of the environment. */
async function applyConfiguration(
  storage: Storage,
  { config, file, lineOf }: LoadedConfig,
): Promise<readonly string[]> {
  const { store } = storage
  const now = systemClock.now()
  const document = isFileManaged(config) ? config : {}
  const source = { document, file: file ?? 'gatewright.yaml', lineOf }
  await applyDocument(store, source, { managedBy: 'file', now, checkDeployment: documentCheck(storage) })
  const found = config.environmentProviders ? findProviders(catalogue, environment, defaultPrices) : []
  return applyEnvironment(store, found, now)
}

/** Throws a Fault where the data plane could not compile the deployment. */
function checkDeployment(deployment: DeploymentSnapshot): void {
  const provider = catalogue.find(deployment.providerId)
  if (provider === undefined)
    throw new Fault(faults.objectNotFound, { public: { noun: 'provider', id: deployment.providerId } })
  compileDeployment(provider, deployment, auth)
}

/** The same before a document is stored. A secret that is not there yet is no mistake in the document. */
function documentCheck({ sources }: Storage) {
  return async (deployment: Deployment): Promise<void> => {
    const opened = await openDeployment(deployment, new Map(), sources())
    if (opened !== null) checkDeployment(opened)
  }
}

/** Peppers of another node; where they cannot be opened, keys under those that are known still do. */
async function refreshPeppers({ peppers }: Storage): Promise<void> {
  try {
    await peppers.refresh()
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== faults.secretUnreadable.code) throw error
    const text =
      'A pepper stands under a root key that is not here: name its file in secrets.otherRootKeyFiles.'
    log({ level: 'error', code: error.code, text })
  }
}

function createStoragePublisher({ storage, tokens }: Parts) {
  const { store, sources, pollMs } = storage
  return createPublisher({
    store,
    async sources() {
      await refreshPeppers(storage)
      return sources()
    },
    check: (config) => checkSnapshot(config, { catalogue, auth }),
    send(message) {
      if (message.type === 'config') {
        targetHealth.apply(message.config)
        published = message.config
      }
      tokens.sent(message)
      tell({ type: 'snapshot', message })
    },
    now: systemClock.now,
    pollMs,
  })
}

async function openForTrial(deployment: Deployment, { store, sources }: Storage) {
  const { credential, organizationId } = deployment
  const record =
    credential.kind === 'sealed' ? await store.credentials.get(organizationId, credential.credentialId) : null
  return openDeployment(deployment, new Map(record === null ? [] : [[record.id, record]]), sources())
}

function adminDependencies(parts: Parts, status: () => StatusReport): AdminDependencies {
  const { counters, storage } = parts
  const { store, secretBox, access, usage, alerts } = storage
  const note =
    (level: LogEntry['level']) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const { cause, code, requestId } = fields
      const text = cause instanceof Error ? `${message}: ${cause.name}` : message
      log({ level, code: String(code ?? 'admin.note'), requestId: String(requestId ?? ''), text })
    }
  return {
    store,
    secretBox,
    usage,
    alerts,
    sinks: parts.events.delivery,
    status,
    usageLog: parts.usage.eventLog,
    contentLog: parts.content.contentLog,
    clock: systemClock,
    peppers: access.peppers,
    pepperBook: storage.peppers,
    providers: () => catalogue.list,
    configuration: createDocumentManager({
      store,
      clock: systemClock,
      fileManaged: () => isFileManaged(inForce.loaded.config),
      checkDeployment: documentCheck(storage),
    }),
    explainLimits: (requests) => explainLiveLimits(store, counters, requests),
    tokenKeys: (issuerId) => parts.tokens.keyStatus(issuerId),
    routeHealth: (route) => targetHealth.describe(route),
    limitFigures: (limitId) => counters.node.readFigures(limitId),
    metrics: () => collectMetrics(metricParts(parts, status)),
    tryDeployment: (deployment) =>
      tryDeployment(deployment, { catalogue, auth, client, open: (each) => openForTrial(each, storage) }),
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    signIns: createAttendedThrottle({ shared: counters.stores.rates, writer: metricWriter, log }),
    answered: countAnswers(metricWriter),
    onDenial: createDenialCounter(metricWriter),
    audit: parts.audit.trail,
    leakReports: { settings: () => inForce.loaded.config.leakReports, readReference, client: network },
    tellOfKey: parts.tellOfKey,
    live,
  }
}

function openContent({ secretBox }: Storage, directory: DataDirectory): ContentIntake {
  return openContentIntake({
    directory: directory.contentDirectory,
    secretBox,
    retentionDays: () => inForce.loaded.config.contentLog.retentionDays,
    now: systemClock.now,
    log: warnOf('content.storage'),
  })
}

async function openEvents(
  storage: Storage,
  directory: DataDirectory,
  usage: UsageIntake,
): Promise<EventDelivery> {
  const events = await openEventDelivery({
    directory,
    config: () => inForce.loaded.config,
    exchanges: createExchangeLane(usage.eventLog),
    usage: storage.usage,
    cursorPrefix: `${storage.usageCursor}/sinks`,
    tools: { client: network, egress, readReference, now: systemClock.now, directory: data.directory },
    log: warnOf('events.delivery'),
    onBroken: () => process.exit(1),
  })
  usage.onRemoval((end) => events.delivery.beforeRemoval(end))
  await events.configure()
  return events
}

function openAlerts({ alerts }: Storage): ToldAlerts {
  const settings = () => inForce.loaded.config.alerts.webhook
  const failed = warnOf('limit.webhook-failed')
  return openToldAlerts({ alerts, client: network, settings, readReference, failed, log })
}

function openTraces(): TraceIntake {
  return openTraceIntake({
    client: network,
    config: () => inForce.loaded.config.tracing,
    readReference,
    instance: data.run,
    now: systemClock.now,
    log: warnOf('tracing.export'),
  })
}

function openTokens({ store, secretBox }: Storage) {
  return openTokenDesk({
    client: network,
    now: systemClock.now,
    store,
    secretBox,
    readReference,
    send: (message) => tell({ type: 'snapshot', message }),
    log: warnOf('auth.issuer'),
  })
}

function openCounters(storage: Storage, { path }: DataDirectory): Promise<OpenedCounters> {
  const { config, counters: memory, run } = data
  return openCentralCounters({ config, directory: path, memory, run, storage, readReference, log })
}

/** What each worker told last. */
const loads = new Map<number, WorkerLoad>()

/** Reloads on request and whenever the file changes, also while no control plane watched it. */
function openReloader({ storage, events, audit }: Parts, publish: () => Promise<void>) {
  const named = {
    ...(data.configFile === null ? {} : { file: data.configFile }),
    ...(data.dataDir === null ? {} : { dataDir: data.dataDir }),
  }
  const reloader = createReloader({
    inForce,
    load: () => loadConfiguration({ environment, directory: data.directory, ...named }),
    apply: (loaded) => applyConfiguration(storage, loaded),
    begins: audit.applyBegins,
    ended: audit.applyEnded,
    publish,
    settled(config) {
      void events.configure()
      tell({ type: 'configuration', config })
    },
    log,
  })
  const { configFile } = data
  if (configFile !== null) watchFile(configFile, { interval: 500 }, () => void reloader.reload())
  return {
    reload: () => void reloader.reload(),
    catchUp: () => void reloader.catchUp(),
    close: () => (configFile === null ? undefined : unwatchFile(configFile)),
  }
}

/** The database, and what takes in what workers send. */
async function openParts(directory: DataDirectory) {
  const usage = await openUsage(directory)
  const storage = await openStorage(directory)
  usage.index(storage.store, { usage: storage.usage, cursorName: storage.usageCursor })
  const events = await openEvents(storage, directory, usage)
  const content = openContent(storage, directory)
  const alerts = openAlerts(storage)
  const traces = openTraces()
  const tokens = openTokens(storage)
  const counters = await openCounters(storage, directory)
  const audit: AuditDesk = openAuditDesk({
    directory,
    secretBox: storage.secretBox,
    now: systemClock.now,
    log,
    ...(storage.isShared ? { board: storage.checkpoints } : {}),
    async deliver(event) {
      const fault = await events.spool.append([event])
      if (fault === null) live.publish(event)
      return fault
    },
  })
  usage.onDenied(audit.denied)
  const tellOfKey = createKeyTeller({ trail: audit.trail, webhook: alerts, log })
  const keyCare = openKeyCare({ store: storage.store, now: systemClock.now, tell: tellOfKey })
  const close = async (): Promise<void> => {
    // First: its last checkpoint is an event.
    await keyCare.close()
    await audit.close()
    await events.close()
    await usage.close()
    await content.close()
    await alerts.close()
    await traces.close()
    tokens.close()
    await counters.close()
    await storage.close()
  }
  return { storage, usage, events, content, alerts, traces, tokens, counters, audit, tellOfKey, close }
}

type Parts = Awaited<ReturnType<typeof openParts>>

function metricParts(
  { usage, events, traces, counters, audit }: Parts,
  status: () => StatusReport,
): NodeMetricsParts {
  return {
    workers: metricReader,
    status,
    counters: counters.node,
    targets: targetHealth,
    usage: () => usage.figures(),
    exports: () => events.figures(),
    audit: () => audit.trail.figures(),
    traces,
    config: () => published,
    reload: () => inForce.reload,
  }
}

/** Behind the start: what has begun to run is not held up, and cannot be undone. */
function noteStart({ note, applyEnded }: AuditDesk, isNew: boolean): void {
  void note('control-plane.start')
  if (isNew) void note('installation.create')
  void applyEnded('')
}

async function start(): Promise<void> {
  const directory = openDataDirectory(data.config.dataDir)
  const tlsSource = createTlsSource(data.config.tls, {
    tlsDirectory: directory.tlsDirectory,
    directory: data.directory,
  })
  let tls = await tlsSource.load()
  tell({ type: 'tls', material: tls })
  const parts = await openParts(directory)
  const { storage } = parts
  const apiKey = await settleIn(storage, directory)
  const environmentDeployments = await applyConfiguration(storage, inForce.loaded)
  const publisher = createStoragePublisher(parts)
  await publisher.start()
  const status = createStatus({
    startedAt: data.startedAt,
    dataDirectory: directory.path,
    workers: () => workers,
    loads: () => [...loads.values()],
    publisher: () => publisher.state,
    controlUrls: () => listeners.urls,
    certificateExpiresAt: () => tls.expiresAt,
    config: () => inForce.loaded.config,
  })
  const app = await createAdminApi(adminDependencies(parts, status))
  const listeners = await openControlListeners(app, data.config.control, tls)
  const stopWatching = tlsSource.watch((next) => {
    tls = next
    listeners.setTls(next)
    tell({ type: 'tls', material: next })
  }, warnOf('tls.reload'))
  const reloader = openReloader(parts, () => publisher.republish())

  async function close(): Promise<void> {
    reloader.close()
    stopWatching()
    publisher.stop()
    targetHealth.stop()
    live.close()
    await listeners.close()
    await parts.close()
    process.exit(0)
  }
  listenToSupervisor(supervisor, {
    worker: ({ port }) => connectWorker(port, { ...parts, idempotency, live, loads }),
    workers(told) {
      workers = told
    },
    reload: () => reloader.reload(),
    close: () => void close(),
  })
  const welcome: Welcome = {
    apiKey,
    setupPath: await offerSetup(storage.access),
    authorityFile: tls.authorityFile,
    environmentDeployments,
    sandbox: isSandboxEnabled(inForce.loaded.config),
    controlUrls: listeners.urls,
    warnings: publisher.state.warnings,
  }
  tell({ type: 'ready', welcome })
  // Not before: what can wait keeps nobody from being served.
  noteStart(parts.audit, apiKey !== null)
  reloader.catchUp()
}

start().catch((error: unknown) => {
  const text = describeStartRefusal(error, { dataDirectory: data.config.dataDir, plane: 'control' })
  tell({ type: 'refused', text })
  process.exit(1)
})
