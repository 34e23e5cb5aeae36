/**
 * One thing that happened, as it is spooled, delivered to sinks, shown live and proved. A record of an allow-list of
 * fields: what has no field here (bodies, headers, credentials) cannot reach a log.
 *
 * access: an exchange as a whole · usage: what it consumed · security: what was refused or looks wrong · audit: what
 * somebody did to the configuration, a key or a secret.
 */
export const eventStreams = ['access', 'usage', 'security', 'audit'] as const
export type EventStream = (typeof eventStreams)[number]

/** How bad it is for whoever operates the gateway; in order. */
export const eventSeverities = ['info', 'low', 'medium', 'high', 'critical'] as const
export type EventSeverity = (typeof eventSeverities)[number]

export interface OversightEvent {
  /** Unique and stable: a repeated delivery has the same, so that receivers can drop it. */
  readonly id: string
  /** Unix time, milliseconds. */
  readonly time: number
  readonly stream: EventStream
  /** What happened, of a fixed list, dotted: `exchange.completed`, `key.rotate`, `sign-in.refused`. */
  readonly action: string
  readonly outcome: 'success' | 'failure' | 'unknown'
  readonly severity: EventSeverity
  /** Code of the fault, or empty. */
  readonly reason: string
  /** Tenant; empty: the installation. */
  readonly organizationId: string
  /** Who did it, as far as it is proven. */
  readonly actor: EventActor
  /** What it was done to; null: nothing of its own. */
  readonly resource: EventResource | null
  /** The exchange that it belongs to; null: none. */
  readonly exchange: ExchangeFacts | null
  /** How many alike it stands for; absent: itself alone. */
  readonly count?: number
  /** A checkpoint of an audit log: the signed note, base64; absent: it is about something else. */
  readonly checkpoint?: string
}

export interface EventActor {
  /** `key`: an API key · `admin`: an administrator's token · `system`: Gatewright itself · `unknown`: not proven. */
  readonly kind: 'key' | 'admin' | 'system' | 'unknown'
  /** Public id; empty where unknown. */
  readonly id: string
  readonly applicationId: string
  /** Network address as it is believed (trusted proxies considered); empty: none. Personal. */
  readonly address: string
  /** End user that the caller named; empty: none. Personal. */
  readonly endUser: string
}

export interface EventResource {
  /** Noun of the admin API: `api-key`, `deployment`, `model-route` … */
  readonly kind: string
  readonly id: string
}

export interface ExchangeFacts {
  readonly requestId: string
  /** W3C trace id and span id, hexadecimal; empty: not traced. */
  readonly traceId: string
  readonly spanId: string
  readonly operation: string
  readonly dialect: string
  readonly model: string
  readonly servedModel: string
  readonly providerId: string
  readonly deploymentId: string
  /** HTTP status sent to the caller. */
  readonly status: number
  readonly streamed: boolean
  readonly attempts: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  readonly reasoningTokens: number
  /** Micro US dollars; null: no price is known. */
  readonly costMicroUsd: number | null
  readonly requestBytes: number
  readonly responseBytes: number
  /** Milliseconds. */
  readonly durationMs: number
  readonly firstByteMs: number
  readonly overheadMs: number
}
