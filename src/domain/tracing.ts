/** How exchanges are traced, as workers need to know it. */

/** `private`: deployments that may lie in private networks, which the operator hosts. */
export const propagations = ['none', 'private', 'all'] as const
export type Propagation = (typeof propagations)[number]

/**
 * What a caller's trace context means. `follow`: its trace goes on, with its decision · `continue`: its trace goes on, the
 * decision is ours · `ignore`: each exchange begins a trace.
 */
export type ParentHandling = 'follow' | 'continue' | 'ignore'

/** Share of the exchanges that are traced where nobody says otherwise; failures are told of all the same. */
export const defaultSamplingRatio = 0.1

/** A share of the exchanges on some operations and model routes. */
export interface SamplingRule {
  /** Operation ids or patterns; null: all. */
  readonly operations: readonly string[] | null
  /** Names of model routes or patterns; null: all. */
  readonly models: readonly string[] | null
  /** 0 to 1. */
  readonly ratio: number
}

export interface TracingTerms {
  readonly parents: ParentHandling
  /** Share of the exchanges that no rule names. */
  readonly ratio: number
  /** The first that fits counts. */
  readonly rules: readonly SamplingRule[]
  /** Exchanges that failed are told of, whatever the share. */
  readonly keepsErrors: boolean
  /** Stages of the pipeline stand in the span as events. */
  readonly stages: boolean
  /** The span names the content that is logged of the exchange. */
  readonly references: boolean
  /** Which deployments get `traceparent`, and which `tracestate`. */
  readonly context: Propagation
  readonly state: Propagation
  /** Slugs of further deployments that get `traceparent`. */
  readonly deployments: readonly string[]
}
