/**
 * One request and its response on their way through the pipeline. A class with every field set in the constructor,
 * in one order, so that all exchanges share one hidden class; stages read and write fields and nothing else.
 */
import type { CanonicalError, CanonicalRequest } from '../domain/canonical.ts'
import type { GuardFinding } from '../domain/guards.ts'
import type { JsonObject } from '../domain/json.ts'
import type { LimitRule } from '../domain/limits.ts'
import type { Operation } from '../domain/operations.ts'
import type { GrantSnapshot, KeySnapshot } from '../domain/snapshot.ts'
import type { TokenUsage } from '../domain/usage.ts'
import type { GuardSet } from '../inspection/index.ts'
import type { Fault } from '../kernel/fault.ts'
import type { JsonScan } from '../kernel/json-scan.ts'
import type { TimerHandle } from '../kernel/timer-wheel.ts'
import type { LimitActual, LimitRequest, LimitStanding } from '../limits/index.ts'
import type { BodyFailureKind, Inbound, Reply } from '../ports/listener.ts'
import type { UpstreamCall } from '../ports/upstream-client.ts'
import type { Downgrade } from '../providers/index.ts'
import type { TraceRecord } from '../tracing/index.ts'
import type { BodyFacts } from './body-facts.ts'
import type { CapturedReply } from './capture.ts'
import type { HeldReply } from './held-reply.ts'
import type { CompiledKey } from './key-table.ts'
import type { FormField } from './multipart.ts'
import type { CompiledApplication, CompiledRoute, CompiledTarget, Snapshot } from './snapshot.ts'

export type Outcome = 'open' | 'completed' | 'failed' | 'refused' | 'disconnected'

/** Calls of one exchange of which the first to answer is taken. */
export interface Race {
  /** End all others; no further one is made. */
  win(trial: UpstreamCall): void
  /** One has failed. True when another is still under way. */
  remove(trial: UpstreamCall): boolean
}

/** What calls came to whose answers nobody got; `lost-calls.ts`. */
export interface LostCalls {
  readonly usage: TokenUsage
  /** 0 where no price is known. */
  readonly costMicroUsd: number
}

/** What an exchange asks of its limits; `limits/limit-request.ts`. */
export interface ExchangeRequest extends LimitRequest {
  /** The request itself says how long its answer may be. */
  readonly isCapped: boolean
  /** What answers like it have, to learn from this one; null: it is capped, or has none. */
  readonly expectation: { observe(tokens: number): void } | null
  /** Tokens that each answer is held to for a budget's sake, because the request itself says nothing; null: it is not. */
  readonly outputCap: number | null
  /** What was put aside at most. */
  readonly reserved: LimitActual
  /** Its input is counted, not estimated by its size. */
  readonly isExact: boolean
}

/** What an exchange holds of its limits; `limits/limit-hold.ts`. */
export interface ExchangeLimits {
  readonly request: ExchangeRequest
  /** Worst first, as they stand now. */
  readonly standings: readonly LimitStanding[]
  /** Rules that were passed and are not enforced. */
  readonly exceeded: readonly { readonly rule: LimitRule }[]
  /** The rule that refused or ended the exchange; empty: none did. */
  readonly refusedBy: string
  /** It was to wait in the queue. */
  readonly hasWaited: boolean
  /** Figures so far. A rule: its limit is reached, and there is no more. */
  progress(used: LimitActual): LimitRule | null
  /** The fault with which a stream ends that has reached a rule's limit. */
  streamEnd(rule: LimitRule): Fault
  /** The exchange has ended; called once. */
  settle(actual: LimitActual): void
}

/** A call of a provider as it is told of to the trace. Times in monotone milliseconds. */
export interface CallFacts {
  readonly target: CompiledTarget
  /** Model name at the provider. */
  readonly model: string
  readonly startedAt: number
}

/** The span of a call while it is under way; `exchange-trace.ts`. */
export interface CallTracing {
  /** HTTP status of the provider. */
  status: number
  /** Its answer is the one that the caller gets. */
  answered: boolean
  firstChunkAt: number
  /** Part of an answer as the provider sends it. */
  look(chunk: Buffer): void
  /** Called once or more; the first counts. */
  end(outcome: string, at: number): void
}

/** The trace of an exchange while it is under way; `exchange-trace.ts`. */
export interface ExchangeTracing {
  readonly traceId: string
  readonly spanId: string
  /** It is told of; known at the end. */
  readonly isRecorded: boolean
  /** The context as the caller may continue it. */
  contextOf(exchange: Exchange): string
  /**
   * A call is made; the deployment gets the context in `headers` where the configuration says so. Null: nothing will be
   * told of it.
   */
  beginCall(exchange: Exchange, headers: string[], call: CallFacts): CallTracing | null
  /** What is told at the end; null: nothing. `end` in monotone milliseconds. */
  finish(exchange: Exchange, end: number): TraceRecord | null
}

export const noBytes = Buffer.alloc(0)
const noTargets: readonly CompiledTarget[] = Object.freeze([])
const noFindings: readonly GuardFinding[] = Object.freeze([])
const noStandings: readonly LimitStanding[] = Object.freeze([])
const noTags: Readonly<Record<string, string>> = Object.freeze({})

export class Exchange {
  readonly inbound: Inbound
  /** The way back; a stage may put a wrapper around it. */
  reply: Reply
  readonly id: string
  /** The configuration that this exchange began with; it ends with the same. */
  readonly snapshot: Snapshot
  /** Unix milliseconds. */
  readonly startedAt: number

  // Matched
  operation: Operation | null = null
  isHealth = false
  pathModel = ''
  pathRest = ''
  query = ''
  clientAddress = ''

  // Proven
  key: KeySnapshot | null = null
  compiledKey: CompiledKey | null = null
  /** Names of the policies that determined the decision; null: none were asked. */
  policies: readonly string[] | null = null
  /** Where the key's list of exchanges under way holds this one. */
  place = -1
  application: CompiledApplication | null = null
  /** `grantOf` says; undefined: nobody has asked for it. */
  grant: GrantSnapshot | null | undefined = undefined
  /** Its credential is taken for an access token. */
  isToken = false
  /** The end user that the token names; empty: the request may name one. */
  provenUser = ''

  // Received
  body: Buffer = noBytes
  scan: JsonScan | null = null
  json: JsonObject | null = null
  /** Of a large body: what another thread found in it; null: to be found in `json`. */
  facts: BodyFacts | null = null
  canonical: CanonicalRequest | null = null
  /** Where a form names its model. */
  formModel: FormField | null = null
  /** The body was left on the wire, to be streamed to the upstream. */
  bodyPending = false
  /** Why a streamed body broke off. */
  bodyFailure: BodyFailureKind = 'malformed'
  requestBytes = 0
  /** Counted in the budget of bodies. */
  heldBytes = 0

  // Asked for
  model = ''
  stream = false
  streamUsageAsked = false
  /** Gemini streams without `alt=sse` are one JSON array, sent piece by piece. */
  jsonArrayStream = false
  endUser = ''
  tags: Readonly<Record<string, string>> = noTags

  // Guarded
  /** Null: no guard holds for it, or its route is not known yet. */
  guards: GuardSet | null = null
  findings: readonly GuardFinding[] = noFindings

  // Limited
  /** Null: no rule of its organization applies, or none was asked yet. */
  limits: ExchangeLimits | null = null
  addressStandings: readonly LimitStanding[] = noStandings

  // Routed
  route: CompiledRoute | null = null
  targets: readonly CompiledTarget[] = []
  /** Which of `targets` is tried next. */
  targetIndex = 0
  /** Rounds over the targets so far, and those that may be tried again in the next one. */
  round = 0
  again: readonly CompiledTarget[] = noTargets
  target: CompiledTarget | null = null
  servedModel = ''
  attempts = 0
  call: UpstreamCall | null = null
  /** Set while two calls may be under way and neither has begun to answer. */
  race: Race | null = null
  downgrades: Downgrade[] = []

  // Answered
  /** Set where the end of the answer waits for the disk. */
  held: HeldReply | null = null
  status = 0
  /** Its answer is being streamed. */
  isStreaming = false
  /** Empty: the route keeps no answers, or nothing was asked of it. */
  cacheStatus: '' | 'hit' | 'miss' | 'bypass' = ''
  /** Set where the answer is to be kept if it ends well. */
  keepResponse: (() => void) | null = null
  /** How long the provider lets the answer be kept, milliseconds. */
  keepAtMostMs = Number.POSITIVE_INFINITY
  faultCode = ''
  usage: TokenUsage | null = null
  /** Figures so far, for an exchange that ends before the provider gave any. */
  estimateUsage: (() => TokenUsage) | null = null
  costMicroUsd: number | null = null
  /** What ends the stream that is being sent, after whatever was sent of it; null: there is none. */
  endStream: ((error: CanonicalError) => string | Uint8Array) | null = null
  /** Calls whose answers nobody got, and which are charged all the same; null: none. */
  lost: LostCalls | null = null
  responseBytes = 0
  upstreamStartedAt = 0
  /** Monotone milliseconds; 0 until the first byte went to the caller. */
  firstByteAt = 0
  outcome: Outcome = 'open'
  settled = false
  /** Set while an idempotency key is claimed; called once with whether the reply is worth keeping. */
  remember: ((worthKeeping: boolean) => void) | null = null
  /** Comments until the first token; cleared at the end, because it holds the exchange and its body. */
  keepAlive: TimerHandle | null = null
  /** What was answered, where content is logged. */
  captured: CapturedReply | null = null
  isContentLogged = false
  /** Null: tracing is off. */
  trace: ExchangeTracing | null = null

  // Pipeline
  stageIndex = 0
  /** Stages that are timed, as they began; each stands for the short ones after it, too. */
  readonly timedStages: string[] = []
  /** Monotone milliseconds at which each of `timedStages` began. */
  readonly stageStarts: number[] = []
  /** Go on after a stage that waited. */
  proceed: () => void = doNothing
  /** End with an error: answered in the caller's dialect, or the reply is broken off. */
  fail: (error: unknown) => void = doNothing
  /** End: the finish rows run once. */
  finish: (outcome: Exclude<Outcome, 'open'>) => void = doNothing
  /** Give up what a stage waits for; called once, at the end. */
  abandon: () => void = doNothing
  /** For whoever counts exchanges under way; called once. */
  onClosed: () => void = doNothing
  /** Ends the exchange from outside (revocation, shutdown). Set while an upstream call or reply is under way. */
  interrupt: ((reason: 'key-revoked') => void) | null = null

  constructor(inbound: Inbound, id: string, known: { readonly snapshot: Snapshot; readonly now: number }) {
    this.inbound = inbound
    this.reply = inbound.reply
    this.id = id
    this.snapshot = known.snapshot
    this.startedAt = known.now
  }
}

function doNothing(): void {}

/** The value of the first header `name` (lower case), or undefined. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === name) return headers[at + 1]
  }
  return undefined
}
