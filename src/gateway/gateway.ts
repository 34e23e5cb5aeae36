/**
 * The data plane of one worker: takes exchanges from listeners, snapshots and keys from the control plane.
 * Knows no sockets, no threads and no storage.
 */
import type { SnapshotConfig, SnapshotMessage } from '../domain/snapshot.ts'
import { faults } from '../faults/catalogue.ts'
import { createVerdictCache } from '../inspection/index.ts'
import { requestIds } from '../kernel/ids.ts'
import { createFairQueue, type QueueFigures } from '../limits/index.ts'
import type { MeteredModel } from '../metering/index.ts'
import type { ExchangeHandler } from '../ports/listener.ts'
import { createHealthBook } from '../routing/index.ts'
import { type MetricWriter, metrics, otherValue } from '../telemetry/index.ts'
import { createTraceIds } from '../tracing/index.ts'
import { createBodyBudget } from './body-budget.ts'
import type { GatewayContext } from './context.ts'
import { Exchange } from './exchange.ts'
import { ExchangeMetrics } from './exchange-metrics.ts'
import { createKeyTable } from './key-table.ts'
import { OutputExpectations } from './limits/output-expectations.ts'
import { type LoadFigures, LoadGauge } from './load-gauge.ts'
import { compilePlans, pipeline } from './pipeline.ts'
import { type Runner, runExchange } from './run.ts'
import { compileSnapshot, type Snapshot, type SnapshotParts } from './snapshot.ts'
import type { StageRow } from './stage.ts'
import { TokenDoor, type TokenDoorParts } from './tokens/token-door.ts'
import { WrongKeys } from './wrong-keys.ts'

export interface Gateway {
  readonly handle: ExchangeHandler
  /** Take over a snapshot or key change. Throws, and keeps what it has, when it cannot be compiled. */
  apply(message: SnapshotMessage): void
  /** From now on `/readyz` says no, so that load balancers turn away. */
  startDraining(): void
  readonly snapshotVersion: number
  /** Exchanges under way. */
  readonly open: number
  /** How loaded the worker is, who was turned away for it, and who waits. */
  readonly load: LoadFigures
  readonly queue: QueueFigures
  /** A metered model as the configuration names it. */
  labelOf(model: MeteredModel): string
  /** Ends what watches the worker. */
  close(): void
}

type OwnParts =
  | 'keys'
  | 'wrongKeys'
  | 'tokens'
  | 'bodies'
  | 'isReady'
  | 'queue'
  | 'outputs'
  | 'load'
  | 'metrics'
  | 'traceIds'
  | 'verdicts'
export type GatewayParts = Omit<GatewayContext, OwnParts> &
  SnapshotParts & {
    /** Another table than `pipeline`; for tests of what a failing stage does. */
    readonly table?: readonly StageRow[]
    /** False: no more exchanges can be recorded now, so none are taken. */
    readonly canRecord: () => boolean
    readonly metricWriter: MetricWriter
    readonly tokens: Omit<TokenDoorParts, 'clock'>
  }

export function createGateway(parts: GatewayParts): Gateway {
  const keys = createKeyTable()
  const nextId = requestIds()
  let snapshot: Snapshot | null = null
  /** Goes with the snapshot; exchanges under way keep the one that they began with. */
  let runner: Runner | null = null
  let keysKnown = false
  let draining = false
  const isReady = (): boolean => snapshot !== null && keysKnown && !draining && parts.canRecord()
  const ctx: GatewayContext = { ...parts, ...ownParts(parts), keys, isReady }
  const table = parts.table ?? pipeline
  const snapshotParts = { health: createHealthBook(), ...parts }

  return {
    handle(inbound) {
      if (snapshot === null || runner === null)
        return inbound.reply.send(503, ['content-type', 'application/json', 'retry-after', '1'], notReadyBody)
      const exchange = new Exchange(inbound, nextId(), { snapshot, now: ctx.clock.now() })
      ctx.metrics.requests.active(exchange, 1)
      exchange.onClosed = () => ctx.metrics.requests.active(exchange, -1)
      runExchange(exchange, runner)
    },
    apply(message) {
      ctx.wrongKeys.forgetTexts()
      if (message.type === 'config') {
        snapshot = compileSnapshot(message.config, snapshotParts)
        runner = { ctx, plans: compilePlans(table, snapshot) }
        ctx.load.watch(snapshot.bounds)
        ctx.tokens.configured(snapshot.issuers)
        return
      }
      if (message.type !== 'keys') return ctx.tokens.apply(message)
      for (const keyId of keys.apply(message)) {
        parts.note({
          level: 'error',
          requestId: '',
          code: 'gateway.key',
          internal: `key ${keyId} cannot be compiled`,
        })
      }
      keysKnown = true
    },
    startDraining() {
      draining = true
    },
    get snapshotVersion() {
      return snapshot?.version ?? 0
    },
    get open() {
      return ctx.metrics.requests.open
    },
    get load() {
      return ctx.load.figures
    },
    get queue() {
      return ctx.queue.figures
    },
    labelOf: (model) => snapshot?.modelLabel(model) ?? otherValue,
    close: () => ctx.load.stop(),
  }
}

function ownParts(parts: GatewayParts): Omit<Pick<GatewayContext, OwnParts>, 'keys' | 'isReady'> {
  return {
    wrongKeys: new WrongKeys(parts.clock),
    tokens: new TokenDoor({ ...parts.tokens, clock: parts.clock }),
    bodies: createBodyBudget(),
    queue: createFairQueue(parts),
    outputs: new OutputExpectations(),
    load: watchLoad(parts),
    metrics: new ExchangeMetrics(parts.metricWriter),
    traceIds: createTraceIds(),
    verdicts: createVerdictCache(),
  }
}

function watchLoad({ clock, note, metricWriter }: GatewayParts): LoadGauge {
  const { code } = faults.overloaded
  const lag = metricWriter.bind(metrics.loopLag, [])
  return new LoadGauge({
    clock,
    onSample: (lateMs) => metricWriter.observe(metrics.loopLag, lag, lateMs / 1000),
    onShedding: (internal) => note({ level: 'warn', requestId: '', code, internal }),
  })
}

const notReadyBody = JSON.stringify({ error: { code: faults.notReady.code, message: faults.notReady.text } })

/** Throws when the data plane could not work with `config`. */
export function checkSnapshot(config: SnapshotConfig, parts: SnapshotParts): void {
  compileSnapshot(config, parts)
}
