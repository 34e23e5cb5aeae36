import type { GuardFinding } from './guards.ts'

/**
 * What one exchange consumed. Totals include their parts: `inputTokens` counts cached and cache-writing
 * tokens too, `outputTokens` counts reasoning tokens too, whatever the vendor's own convention is.
 */
export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of `inputTokens` read from the provider's prompt cache. */
  readonly cachedInputTokens: number
  /** Part of `inputTokens` written to the provider's prompt cache. */
  readonly cacheWriteTokens: number
  /** Part of `outputTokens` spent on reasoning. */
  readonly reasoningTokens: number
  /** True where Gatewright estimated the figures because the provider gave none. */
  readonly estimated: boolean
}

export const noUsage: TokenUsage = Object.freeze({
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  estimated: false,
})

/**
 * One finished exchange as it is metered and exported. A flat record: it is written as one NDJSON line.
 * Carries no content: only names, figures and the tags that the caller chose.
 */
export interface UsageRecord {
  /** Request id, unique; a repeated delivery of the same id counts once. */
  readonly id: string
  /** Unix time in milliseconds at which the request began. */
  readonly time: number
  readonly organizationId: string
  readonly applicationId: string
  readonly keyId: string
  /** API product whose subscription let it in; empty: it was refused before that was known. */
  readonly productId: string
  readonly operation: string
  readonly dialect: string
  /** Model name that the caller asked for. */
  readonly model: string
  /** Model name that the deployment was asked for; empty when no deployment was reached. */
  readonly servedModel: string
  readonly deploymentId: string
  readonly providerId: string
  /** HTTP status sent to the caller. */
  readonly status: number
  /** Fault code, or empty. */
  readonly fault: string
  /** How the exchange ended. */
  readonly outcome: 'completed' | 'failed' | 'refused' | 'disconnected'
  readonly streamed: boolean
  readonly attempts: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly reasoningTokens: number
  readonly estimated: boolean
  /** Cost in micro US dollars (1e-6 USD), or null where no price is known. */
  readonly costMicroUsd: number | null
  readonly requestBytes: number
  readonly responseBytes: number
  /** Whole exchange, milliseconds. */
  readonly durationMs: number
  /** From the request's arrival to the first response byte to the caller, milliseconds. */
  readonly firstByteMs: number
  /** Time that Gatewright itself added before the upstream was called, milliseconds. */
  readonly overheadMs: number
  /** End user named by the caller (`user`, `metadata.user_id`); bounded, or empty. */
  readonly endUser: string
  /** Caller's tags (`metadata`, `x-gatewright-tags`), bounded: at most 16 keys of 64, values of 256 characters. */
  readonly tags: Readonly<Record<string, string>>
  /** Name of the limit that refused the exchange or ended its stream; absent: none did. */
  readonly refusedBy?: string
  /** Names of limits that would have refused it and are not enforced (`warn`, `shadow`); absent: none. */
  readonly limitsPassed?: readonly string[]
  /** What guards found, at most 20; absent: nothing. */
  readonly findings?: readonly GuardFinding[]
  /** Names of the policies that determined whether it was allowed; absent: the organization has none. */
  readonly policies?: readonly string[]
  /** Network address of the caller, as it is believed; absent: nobody asked for it. Personal: exports leave it out. */
  readonly address?: string
  /** W3C ids of the trace and of the span of this exchange; absent: it is not traced, or not in the sample. */
  readonly traceId?: string
  readonly spanId?: string
}
