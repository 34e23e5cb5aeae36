/**
 * What an operation may use, and who calls it. The composition root fills `AdminDependencies` once; nothing in
 * this folder reaches for anything else. Ports and callbacks only: adapters stay unknown here.
 */

import type { AuditTrail } from '../audit/index.ts'
import type { LeakReportsConfig } from '../config/index.ts'
import type { DeadLetter, ReplayResult, SinkStatus } from '../delivery/index.ts'
import type { AdminScope, Deployment, ModelRoute } from '../domain/entities.ts'
import type { KeyNotice } from '../domain/key-notice.ts'
import type { Provider } from '../domain/provider.ts'
import type { WorkerLoad } from '../domain/worker-load.ts'
import type { LiveHub } from '../events/index.ts'
import type { KeyStatus, PepperBook } from '../identity/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { LimitExplanation, LimitRequest } from '../limits/index.ts'
import type { ContentLog } from '../ports/content-log.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { LimitAlerts } from '../ports/limit-alerts.ts'
import type { RuleFigure } from '../ports/node-counters.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Store } from '../ports/store.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'
import type { UsageStore } from '../ports/usage-store.ts'
import type { DocumentManager } from '../resources/index.ts'
import type { Trouble } from '../routing/index.ts'
import type { MetricFamily } from '../telemetry/index.ts'
import type { SecretPeppers } from './secrets.ts'
import type { SignInThrottle } from './sign-in-throttle.ts'

/** One address that this process serves. */
export interface ListenerStatus {
  readonly plane: 'data' | 'control'
  /** Origin as a client writes it, `https://localhost:8443`. */
  readonly url: string
}

/** What runs, in figures that tell nobody a secret. Times are Unix milliseconds. */
export interface StatusReport {
  readonly version: string
  readonly startedAt: number
  readonly nodeVersion: string
  readonly listeners: readonly ListenerStatus[]
  readonly workers: { readonly configured: number; readonly running: number; readonly restarts: number }
  /** What the workers told last, within a few seconds. */
  readonly load: readonly WorkerLoad[]
  readonly snapshot: {
    readonly version: number
    readonly appliedAt: number | null
    /** Why the last configuration was refused, or null. Shown to authenticated callers only. */
    readonly problem: string | null
  }
  /** Enabled deployments and model routes of the snapshot in force. */
  readonly deploymentCount: number
  readonly routeCount: number
  readonly sandboxEnabled: boolean
  /** End of validity of the certificate in use, or null where no TLS listener is open. */
  readonly certificateExpiresAt: number | null
  /** Free bytes where the data directory lies, or null where unknown. */
  readonly diskFreeBytes: number | null
  /** Prefix of documentation links in errors. */
  readonly documentationUrl: string
}

/** Outcome of a trial call to a deployment. `detail` is safe to show: status and fault text, never a body. */
export interface DeploymentTrial {
  readonly ok: boolean
  readonly status: number | null
  readonly durationMs: number
  readonly detail: string
}

/** State of one target of a model route. */
export interface TargetHealthReport {
  /** Slug. */
  readonly deployment: string
  readonly model: string | null
  readonly trouble: Trouble
  /** Milliseconds until it may be tried again. */
  readonly waitMs: number
  readonly outages: number
}

export interface AdminLog {
  /** What an administrator did to the installation itself. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Sinks of this node. Null: there is none of that name. */
export interface SinkDesk {
  status(): Promise<readonly SinkStatus[]>
  letters(name: string, most: number): Promise<readonly DeadLetter[] | null>
  replay(name: string): Promise<ReplayResult | null>
}

export interface LeakReportDesk {
  readonly settings: () => LeakReportsConfig
  readonly readReference: (reference: string) => string | null
  /** Fetches GitHub's list of keys. */
  readonly client: UpstreamClient
}

export interface AdminDependencies {
  readonly store: Store
  readonly secretBox: SecretBox
  readonly clock: Clock
  /** The peppers in force; asked for on every use, because they may be rotated. */
  readonly peppers: () => SecretPeppers
  readonly pepperBook: Pick<PepperBook, 'rotate' | 'rewrap'>
  readonly usage: UsageStore
  readonly alerts: Pick<LimitAlerts, 'list'>
  readonly sinks: SinkDesk
  /** Single usage records, where this process keeps them. */
  readonly usageLog?: EventLog
  /** Sealed content of exchanges, where this process may keep it. */
  readonly contentLog?: Pick<ContentLog, 'add' | 'read'>
  /** Rows of the provider catalogue, built-in and configured. */
  readonly providers: () => readonly Provider[]
  readonly status: () => StatusReport
  readonly configuration: DocumentManager
  /** The targets of a route as the data plane of this node knows them. */
  readonly routeHealth: (route: ModelRoute) => readonly TargetHealthReport[]
  /** What this node has fetched of a token issuer; null: nothing is fetched for it. */
  readonly tokenKeys: (issuerId: string) => KeyStatus | null
  /** For each exchange every limit that it could meet, with the standing of its counter. The figures asked for are 0. */
  readonly explainLimits: (
    requests: readonly LimitRequest[],
  ) => Promise<readonly (readonly LimitExplanation[])[]>
  /** How often a limit refused, was passed, and could not be asked, on this node. */
  readonly limitFigures: (limitId: string) => Readonly<Record<RuleFigure, number>>
  /** Figures of this node, for scrapers. */
  readonly metrics: () => readonly MetricFamily[]
  readonly tryDeployment: (deployment: Deployment) => Promise<DeploymentTrial>
  readonly signIns: SignInThrottle
  /** For metrics: a request was answered; `none` where there is no such path. */
  readonly answered: (operation: string, status: number) => void
  /** For metrics: a request without a token, or with one that lacks the scope. Tokens that are wrong count as sign-ins. */
  readonly onDenial: (lacks: 'token' | 'scope') => void
  readonly audit: Pick<AuditTrail, 'record' | 'erase' | 'rewrap'>
  /** Who may report leaks, and what it takes to check and to tell. */
  readonly leakReports: LeakReportDesk
  /** Tells the owner of a key: audit log, sinks, receiver of alerts. */
  readonly tellOfKey: (notice: KeyNotice) => Promise<void>
  readonly log: AdminLog
  /** Events of this node as they happen, where it shows them. */
  readonly live?: Pick<LiveHub, 'subscribe'>
}

/** Who calls: the admin token, resolved. */
export interface Caller {
  readonly tokenId: string
  /** Null: all organizations. */
  readonly organizationId: string | null
  readonly scopes: readonly AdminScope[]
}

export interface AdminContext {
  readonly deps: AdminDependencies
  readonly caller: Caller
  readonly requestId: string
  /** Where the caller's connection comes from. */
  readonly address: string
  /** Header of a reader of events that comes back (WHATWG HTML §9.2.4). */
  readonly lastEventId: string | null
}
