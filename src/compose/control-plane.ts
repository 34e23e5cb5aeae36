/**
 * Composition of the control-plane thread: storage, secrets, resources, publishing, usage, admin API and its
 * listeners. `start` is a list of steps, in order; each later one may rely on all earlier ones.
 */
import { unwatchFile, watchFile } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type DataDirectory, openDataDirectory } from '../adapters/data-directory/data-directory.ts'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import { createHttp1Client } from '../adapters/http1/client.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import { createAdminApi } from '../admin/create-admin-api.ts'
import { ConfigError, type LoadedConfig, loadConfig, readEnvironment, readSecretReference } from '../config/index.ts'
import { createEgressGuard } from '../egress/index.ts'
import { checkSnapshot } from '../gateway/index.ts'
import { openPeppers } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import { systemClock } from '../kernel/clock.ts'
import { defaultPrices } from '../metering/index.ts'
import { createCatalogue, createTokenFetcher } from '../providers/index.ts'
import { createPublisher, type SnapshotSettings, sandboxProvider } from '../publishing/index.ts'
import { applyDesired, applyEnvironment, checkDocument, createDocumentManager, makeFirstObjects } from '../resources/index.ts'
import type { ControlThreadData, FromControl, ToControl, WorkerCounts } from '../supervisor/messages.ts'
import { openControlListeners } from './control-listeners.ts'
import { ensureLocalToken, makeFirstKey, offerSetup } from './first-access.ts'
import { findProviders } from './found-providers.ts'
import { createStatus } from './status.ts'
import { createTlsSource } from './tls-material.ts'
import { tryDeployment } from './try-deployment.ts'
import { openUsage } from './usage-intake.ts'

const data = workerData as ControlThreadData
const supervisor = parentPort
if (supervisor === null) throw new TypeError('the control plane runs as a thread')
const tell = (message: FromControl): void => supervisor.postMessage(message)
const log = (text: string): void => tell({ type: 'log', text })
const environment = readEnvironment()
const readReference = (reference: string): string | null => readSecretReference(reference, environment, data.directory)

let loaded: LoadedConfig = { config: data.config, file: data.configFile, lineOf: () => 0 }
let workers: { counts: WorkerCounts; urls: readonly string[] } = { counts: { configured: 0, running: 0, restarts: 0 }, urls: [] }

/** Every deployment's timeouts, bounds and prices, as the configuration has them now. */
function settingsOf(peppers: Readonly<Record<string, string>>): SnapshotSettings {
  const { config } = loaded
  const own = (config.prices ?? []).map((row) => ({
    ...row,
    cachedInputPerMillion: row.cachedInputPerMillion ?? null,
    cacheWritePerMillion: row.cacheWritePerMillion ?? null,
  }))
  return {
    prices: [...defaultPrices, ...own],
    peppers,
    bounds: config.limits,
    timeouts: config.timeouts,
    trustedProxies: config.gateway.trustedProxies,
    sandboxEnabled: sandboxAllowed(config),
    documentationUrl: config.documentationUrl,
  }
}

const loopback = /^(?:127\.|::1$|localhost$)/

function sandboxAllowed({ sandbox, gateway }: LoadedConfig['config']): boolean {
  if (sandbox.enabled !== 'auto') return sandbox.enabled
  return [gateway.http, gateway.https].every((listener) => !listener.enabled || loopback.test(listener.host))
}

/** True while `gatewright.yaml` holds objects: it alone manages them then. */
function fileManages(): boolean {
  const { organizations, deployments, models, products, applications } = loaded.config
  return [organizations, deployments, models, products, applications].some((list) => list !== undefined)
}

async function openStorage(directory: DataDirectory) {
  const secretBox = openFileSecretBox({ path: directory.rootKeyFile })
  const { store, usage, close } = await openSqliteStore({ path: directory.databaseFile })
  return { secretBox, store, usage, close, peppers: await openPeppers(store, secretBox) }
}

type Storage = Awaited<ReturnType<typeof openStorage>>

/** Bring the store to `gatewright.yaml` and the environment. */
async function applyConfiguration({ store }: Storage, catalogue: ReturnType<typeof createCatalogue>): Promise<readonly string[]> {
  const { config, file, lineOf } = loaded
  const now = systemClock.now()
  const desired = fileManages() ? checkDocument(config, file ?? 'gatewright.yaml', lineOf) : []
  await applyDesired(store, desired, { managedBy: 'file', now })
  const found = config.environmentProviders ? findProviders(catalogue, environment, defaultPrices) : []
  return applyEnvironment(store, found, now)
}

async function start(): Promise<void> {
  const directory = openDataDirectory(data.config.dataDir)
  const tlsSource = createTlsSource(data.config.tls, { tlsDirectory: directory.tlsDirectory, directory: data.directory })
  let tls = await tlsSource.load()
  tell({ type: 'tls', material: tls })

  const storage = await openStorage(directory)
  const { store, secretBox, peppers } = storage
  const catalogue = createCatalogue(data.config.providers ?? [])
  const access = { store, clock: systemClock, peppers: () => peppers }
  const first = await makeFirstObjects(store, { now: systemClock.now(), sandboxProvider })
  const apiKey = first === null ? null : await makeFirstKey(access, first)
  await ensureLocalToken(access, directory.adminTokenFile)
  const environmentDeployments = await applyConfiguration(storage, catalogue)

  const client = createHttp1Client({ egress: createEgressGuard() })
  const auth = { now: systemClock.now, fetchToken: createTokenFetcher(client) }
  const sources = () => ({ settings: settingsOf(peppers.encoded), secretBox, readReference })
  const publisher = createPublisher({
    store,
    sources,
    check: (config) => checkSnapshot(config, { catalogue, auth }),
    send: (message) => tell({ type: 'snapshot', message }),
    now: systemClock.now,
  })
  await publisher.start()

  const usage = await openUsage({ directory: directory.usageDirectory, store, usageStore: storage.usage, config: data.config.usage, log })
  const status = createStatus({
    startedAt: data.startedAt,
    dataDirectory: directory.path,
    workers: () => workers,
    publisher: () => publisher.state,
    controlUrls: () => listeners.urls,
    certificateExpiresAt: () => tls.expiresAt,
    config: () => loaded.config,
    sandboxEnabled: () => sandboxAllowed(loaded.config),
  })
  const app = await createAdminApi({
    store,
    secretBox,
    clock: systemClock,
    peppers: () => peppers,
    usage: usage.queries,
    providers: () => catalogue.list,
    status,
    configuration: createDocumentManager({ store, clock: systemClock, fileManaged: fileManages }),
    tryDeployment: (deployment) => tryDeployment(deployment, { catalogue, auth, client, open: (each) => openOne(each, storage) }),
    log: { warn: (fields, message) => log(`${message} ${JSON.stringify(fields)}`), error: (fields, message) => log(`${message} ${JSON.stringify(fields)}`) },
  })
  const listeners = await openControlListeners(app, data.config.control, tls)

  async function reload(): Promise<void> {
    const before = loaded
    try {
      loaded = loadConfig({ environment, directory: data.directory, dataDir: data.config.dataDir, ...(data.configFile === null ? {} : { file: data.configFile }) })
      await applyConfiguration(storage, catalogue)
      await publisher.republish()
      log('The configuration was loaded again.')
    } catch (error) {
      loaded = before
      log(`The new configuration was refused; the running one stays.\n${reasonOf(error)}`)
    }
  }
  const stopWatching = tlsSource.watch((next) => {
    tls = next
    listeners.setTls(next)
    tell({ type: 'tls', material: next })
  }, log)
  if (data.configFile !== null) watchFile(data.configFile, { interval: 500 }, () => void reload())

  supervisor?.on('message', (message: ToControl) => {
    switch (message.type) {
      case 'worker':
        return usage.connect(message.port)
      case 'workers':
        workers = { counts: message.counts, urls: message.urls }
        return
      case 'reload':
        return void reload()
      case 'close':
        if (data.configFile !== null) unwatchFile(data.configFile)
        stopWatching()
        publisher.stop()
        void listeners.close().then(usage.close).then(storage.close).then(() => process.exit(0))
    }
  })
  tell({
    type: 'ready',
    welcome: {
      apiKey,
      setupPath: await offerSetup(access),
      authorityFile: tls.authorityFile,
      environmentDeployments,
      sandbox: sandboxAllowed(loaded.config),
      controlUrls: listeners.urls,
      warnings: publisher.state.warnings,
    },
  })
}
