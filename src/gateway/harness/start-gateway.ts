/**
 * A gateway on its real parts, in this process, for tests and benchmarks: real listener, real upstream client, real
 * sandbox; the snapshot is given as data instead of coming from a control plane.
 */

import { createHttp1Client } from '../../adapters/http1/client.ts'
import { openHttpListener } from '../../adapters/http1/server.ts'
import { createMemoryIdempotencyBook } from '../../adapters/memory/memory-idempotency-book.ts'
import { createMemoryResponseCache } from '../../adapters/memory/memory-response-cache.ts'
import { defaultCounterSizes } from '../../adapters/shared-counters/layout.ts'
import { createSharedCounters, openSharedCounters } from '../../adapters/shared-counters/shared-counters.ts'
import { createLargeBodyReader } from '../../compose/large-body-reader.ts'
import type { ContentRecord } from '../../domain/content.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { RoutePolicy } from '../../domain/routing.ts'
import type {
  DeploymentSnapshot,
  GatewayBounds,
  KeySnapshot,
  RouteSnapshot,
  SnapshotConfig,
} from '../../domain/snapshot.ts'
import type { UsageRecord } from '../../domain/usage.ts'
import { createEgressGuard } from '../../egress/index.ts'
import {
  compilePeppers,
  createReplayMemory,
  hashApiKey,
  mintApiKey,
  openReplayStore,
  type TokenLine,
} from '../../identity/index.ts'
import { systemClock } from '../../kernel/clock.ts'
import { createTimerWheel } from '../../kernel/timer-wheel.ts'
import { createLimiter } from '../../limits/index.ts'
import { defaultPrices } from '../../metering/index.ts'
import type { CentralCounters } from '../../ports/central-counters.ts'
import type { Listener, TlsMaterial } from '../../ports/listener.ts'
import {
  createCatalogue,
  createSandbox,
  createSandboxClient,
  createTokenFetcher,
  dialects,
} from '../../providers/index.ts'
import { createHealthBook, targetName } from '../../routing/index.ts'
import { createMetrics, openMetricWriter } from '../../telemetry/index.ts'
import type { TraceRecord } from '../../tracing/index.ts'
import type { GatewayNote } from '../context.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import type { LargeBodyReader } from '../large-body.ts'
import type { StageRow } from '../stage.ts'

export const testBounds: GatewayBounds = {
  headerBytes: 32_768,
  headerCount: 100,
  bodyBytes: 33_554_432,
  uploadBytes: 536_870_912,
  jsonDepth: 64,
  jsonKeys: 100_000,
  connections: 10_000,
  connectionsPerAddress: 10_000,
  newConnectionsPerSecond: 10_000,
  wrongKeysPerMinute: 0,
  handshakesPerSecond: 10_000,
  handshakeTimeoutMs: 10_000,
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  bodyGraceMs: 20_000,
  bodyBytesPerSecond: 500,
  idleTimeoutMs: 75_000,
  replyStallTimeoutMs: 60_000,
  replyBytesPerSecond: 250,
  replyBufferBytes: 262_144,
  http2Streams: 128,
  loopDelayMs: 0,
  memoryBytes: 0,
  keepAliveCommentMs: 15_000,
  responseBytes: 67_108_864,
}

export const testTimeouts = { connectMs: 5000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 60_000 }

export function testDeployment(
  own: Partial<DeploymentSnapshot> & Pick<DeploymentSnapshot, 'id' | 'providerId'>,
): DeploymentSnapshot {
  return {
    slug: own.id,
    organizationId: 'org_a',
    baseUrl: null,
    dialect: null,
    region: null,
    settings: {},
    secrets: {},
    allowPrivateNetwork: true,
    timeouts: testTimeouts,
    ...own,
  }
}

/** Failures, which tests bring about on purpose, keep nothing out of use; only a refused credential does. */
const forgiving: RoutePolicy = { breaker: null, retry: { maxCooldownMs: 0 } }

/** A route of organization `org_a` to the named deployments, first one first. */
export function testRoute(
  name: string,
  deployments: readonly string[],
  model: string | null = null,
): RouteSnapshot {
  const targets = deployments.map((deployment, priority) => ({ deployment, model, priority, weight: 1 }))
  const createdAt = 1_700_000_000_000
  return { organizationId: 'org_a', name, aliases: [], createdAt, targets, timeouts: {}, policy: forgiving }
}

export interface StartGatewayOptions {
  /** Called where an answer waits for its record to be on disk; left out: it is at once. */
  readonly store?: (stored: () => void) => void
  readonly deployments?: readonly DeploymentSnapshot[]
  readonly routes?: readonly RouteSnapshot[]
  readonly config?: Partial<SnapshotConfig>
  readonly bounds?: Partial<GatewayBounds>
  readonly key?: Partial<KeySnapshot>
  readonly tls?: TlsMaterial
  readonly port?: number
  /** Shared with other gateways, as between workers; opened under a number of its own. */
  readonly counters?: SharedArrayBuffer
  readonly counterOwner?: number
  /** Counters shared with other nodes. */
  readonly central?: CentralCounters
  readonly largeBodies?: LargeBodyReader
  /** Memory in which it counts, as its first writer; made where none is given. */
  readonly metrics?: SharedArrayBuffer
  /** Another pipeline table. */
  readonly table?: readonly StageRow[]
  /** Whom it asks about tokens; left out: nobody can say anything. */
  readonly tokenLine?: TokenLine
  /** Shared with other gateways, as between workers. */
  readonly proofs?: SharedArrayBuffer
}

export interface StartedGateway {
  readonly url: string
  readonly apiKey: string
  readonly keyId: string
  readonly gateway: Gateway
  readonly listener: Listener
  readonly records: UsageRecord[]
  readonly refusals: Omit<Refusal, 'count'>[]
  readonly notes: GatewayNote[]
  /** Content that was handed over to be sealed. */
  readonly contents: ContentRecord[]
  /** Traced exchanges. */
  readonly traces: TraceRecord[]
  readonly config: SnapshotConfig
  readonly key: KeySnapshot
  /** Every deployment is as good as new. */
  forgetHealth(): void
  stop(): Promise<void>
}

const pepper = Buffer.alloc(32, 7).toString('base64')

const silentLine: TokenLine = {
  askKeys: (_issuerId, done) => done(null),
  introspect: (_issuerId, _token, done) => done({ kind: 'unavailable' }),
}

type Lists = Pick<StartedGateway, 'records' | 'refusals' | 'notes' | 'contents' | 'traces'>
const emptyLists = (): Lists => ({ records: [], refusals: [], notes: [], contents: [], traces: [] })

/** Start one. Organization `org_a`, application `app_a` with everything, one key. */
export async function startGateway(options: StartGatewayOptions = {}): Promise<StartedGateway> {
  const told = emptyLists()
  const network = createHttp1Client({ egress: createEgressGuard() })
  const timers = createTimerWheel(10)
  const counters =
    options.counters ?? createSharedCounters({ ...defaultCounterSizes, slots: 4096, owners: 1 })
  const limiter = createLimiter({
    counters: openSharedCounters(counters, options.counterOwner ?? 0),
    calendarCounters: options.central ?? null,
    rateCounters: options.central ?? null,
    clock: systemClock,
    timers,
  })
  const health = createHealthBook()
  const gateway = createGateway({
    limiter,
    upstream: createSandboxClient(createSandbox({ dialects, now: Date.now }), network),
    timers,
    largeBodies: options.largeBodies ?? createLargeBodyReader(),
    idempotency: createMemoryIdempotencyBook(Date.now),
    responses: createMemoryResponseCache(Date.now),
    clock: systemClock,
    random: Math.random,
    recordUsage(record, _eventClass, stored) {
      told.records.push(record)
      if (stored !== undefined) (options.store ?? ((each) => each()))(stored)
    },
    recordRefusal: (refusal) => told.refusals.push(refusal),
    canRecord: () => true,
    ...(options.table === undefined ? {} : { table: options.table }),
    note: (note) => told.notes.push(note),
    logContent: (record) => told.contents.push(record),
    recordTrace: (record) => told.traces.push(record),
    catalogue: createCatalogue(),
    health,
    auth: { now: Date.now, fetchToken: createTokenFetcher(network) },
    metricWriter: openMetricWriter(options.metrics ?? createMetrics(1), 0),
    tokens: {
      line: options.tokenLine ?? silentLine,
      replays: openReplayStore(options.proofs ?? createReplayMemory()),
    },
  })
  const config = configOf(options)
  const { key, text } = mintKey(config, options.key)
  gateway.apply({ type: 'config', config })
  gateway.apply({ type: 'keys', version: 1, reset: true, upsert: [key], remove: [] })
  const listener = await listenFor(gateway, config, options)
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${listener.address.port}`,
    apiKey: text,
    keyId: key.keyId,
    gateway,
    listener,
    ...told,
    config,
    key,
    forgetHealth() {
      for (const each of config.deployments) health.of(targetName(each, '')).deployment.clear()
    },
    async stop() {
      gateway.close()
      listener.destroy()
      network.close()
    },
  }
}

function listenFor(
  gateway: Gateway,
  { bounds }: SnapshotConfig,
  { port = 0, tls }: StartGatewayOptions,
): Promise<Listener> {
  const where = { host: '127.0.0.1', port, reusePort: false, bounds }
  return openHttpListener({ ...where, ...(tls === undefined ? {} : { tls }) }, gateway.handle)
}

function mintKey(
  config: SnapshotConfig,
  own: Partial<KeySnapshot> = {},
): { readonly key: KeySnapshot; readonly text: string } {
  const { keyId, text } = mintApiKey('test')
  const current = compilePeppers(config.peppers).get(1)
  if (current === undefined) throw new TypeError('no pepper')
  const key: KeySnapshot = {
    keyId,
    organizationId: 'org_a',
    applicationId: 'app_a',
    environment: 'test',
    models: null,
    operations: null,
    cidrs: [],
    expiresAt: null,
    rotatedAt: 0,
    isQuarantined: false,
    secrets: [{ hash: hashApiKey(text, current), pepperVersion: 1, expiresAt: null }],
    ...own,
  }
  return { key, text }
}

function configOf(options: StartGatewayOptions): SnapshotConfig {
  return {
    version: 1,
    deployments: options.deployments ?? [testDeployment({ id: 'sandbox', providerId: 'sandbox' })],
    routes: options.routes ?? [testRoute('sandbox', ['sandbox'])],
    applications: [
      {
        id: 'app_a',
        organizationId: 'org_a',
        team: '',
        grants: [{ productId: 'prd_a', models: ['*'], operations: ['*'], planId: null }],
      },
    ],
    limits: [],
    plans: [],
    topUps: [],
    prices: defaultPrices,
    peppers: { 1: pepper },
    bounds: { ...testBounds, ...options.bounds },
    trustedProxies: [],
    sandboxEnabled: true,
    documentationUrl: 'https://gatewright.dev/docs/errors/',
    ...options.config,
  }
}
