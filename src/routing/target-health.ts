/**
 * One target (deployment × model) as one worker knows it: its standing and its deployment's, which all workers share,
 * the worker's limit of the deployment, and the worker's own figures: exchanges under way, times to the first token, calls and failures of the breaker's
 * window. Kept over snapshots as long as some route has the target.
 */
import { createHash } from 'node:crypto'
import type { DeploymentSnapshot } from '../domain/snapshot.ts'
import { ConcurrencyLimit, type ConcurrencyTerms, UsualTime, widest } from './concurrency-limit.ts'
import type { FailureClass } from './failure-classes.ts'
import { type HealthBoard, openHealthBoard, type Trouble } from './health-board.ts'
import { Latency } from './latency.ts'
import type { RouteTerms } from './route-terms.ts'
import { type Claim, type Pause, Standing } from './standing.ts'

/** Of a refused credential: tried again after these times, by one exchange. */
const retirement: Pause = { firstMs: 60_000, maxMs: 900_000 }
/** Providers forbid single requests, too, for what they hold: only so many in a row speak of the credential. */
const forbiddenInARow = 3
/** Of a refusal for load that names no time. */
const coolingPause: Pause = { firstMs: 500, maxMs: 10_000 }

export interface FailureFacts {
  readonly failure: FailureClass
  readonly retryAfterMs: number | null
  readonly elapsedMs: number
  readonly streamed: boolean
  /** What came of a trial; the failures of others that began before it say nothing new. */
  readonly isTrial: boolean
}

/** Unix and monotone milliseconds. */
export interface Instant {
  readonly now: number
  readonly monotonic: number
}

export class TargetHealth {
  readonly standing: Standing
  readonly deployment: Standing
  /** Exchanges under way at this worker. */
  inFlight = 0
  readonly #whole = new Latency()
  readonly #streamed = new Latency()
  readonly #usual = new UsualTime()
  readonly #limit: ConcurrencyLimit
  #windowStart = 0
  #calls = 0
  #failures = 0
  #forbidden = 0
  readonly #remembers: boolean

  constructor(rows: {
    readonly standing: Standing
    readonly deployment: Standing
    readonly limit: ConcurrencyLimit
    readonly remembers: boolean
  }) {
    this.standing = rows.standing
    this.deployment = rows.deployment
    this.#limit = rows.limit
    this.#remembers = rows.remembers
  }

  /** The hot path's one question. */
  get isClear(): boolean {
    return this.standing.isClear && this.deployment.isClear
  }

  get trouble(): Trouble {
    return this.deployment.isClear ? this.standing.trouble : this.deployment.trouble
  }

  waitMs(now: number): number {
    return Math.max(this.standing.waitMs(now), this.deployment.waitMs(now))
  }

  /** May an exchange go there now? While one is there as a trial nobody else may. */
  claim(now: number): Claim {
    if (this.isClear) return 'granted'
    const whole = this.deployment.claim(now)
    if (whole === 'refused') return whole
    const own = this.standing.claim(now)
    if (own === 'refused' && whole === 'trial') this.deployment.release()
    return own === 'granted' ? whole : own
  }

  /** As many exchanges are under way as its deployment bears. */
  isFull({ concurrency }: RouteTerms): boolean {
    return concurrency !== null && this.#limit.isFull(concurrency)
  }

  latency(streamed: boolean): Latency {
    return streamed ? this.#streamed : this.#whole
  }

  begin(): void {
    this.inFlight += 1
    this.#limit.inFlight += 1
  }

  end(): void {
    this.inFlight -= 1
    this.#limit.inFlight -= 1
  }

  /** The answer began well, `elapsedMs` after the call. */
  succeeded(elapsedMs: number, streamed: boolean, { now, monotonic }: Instant): void {
    this.#calls += 1
    this.#forbidden = 0
    this.latency(streamed).add(elapsedMs, monotonic)
    if (streamed && this.#limit.bounds !== null) this.#limit.sample(this.#usual.slowness(elapsedMs))
    this.standing.succeeded(now)
    this.deployment.succeeded(now)
  }

  failed(facts: FailureFacts, terms: RouteTerms, { now, monotonic }: Instant): void {
    const { failure, isTrial } = facts
    if (isTrial) this.#endTrial()
    if (!this.#remembers) return
    switch (failure.effect) {
      case 'none':
        return
      case 'retire-deployment':
        if (isTrial || this.deployment.trouble !== 'retired')
          this.deployment.leaveOut('retired', retirement, now)
        return
      case 'retire-target':
        this.#forbidden += 1
        if (isTrial || (this.#forbidden >= forbiddenInARow && this.standing.trouble !== 'retired'))
          this.standing.leaveOut('retired', retirement, now)
        return
      case 'cool':
        this.#limit.dropped()
        this.#cool(facts.retryAfterMs, terms, now)
        return
      case 'break':
        this.#limit.dropped()
        this.latency(facts.streamed).addFailure(facts.elapsedMs, monotonic)
        if (facts.retryAfterMs !== null) this.#cool(facts.retryAfterMs, terms, now)
        this.#count(terms, isTrial, now)
    }
  }

  /** The call ended without a word on the target: the caller left, or another call was quicker. */
  abandoned(isTrial: boolean): void {
    if (isTrial) this.#endTrial()
  }

  #endTrial(): void {
    this.standing.release()
    this.deployment.release()
  }

  #cool(retryAfterMs: number | null, terms: RouteTerms, now: number): void {
    const { maxCooldownMs } = terms.retry
    if (maxCooldownMs === 0) return
    if (retryAfterMs !== null) this.standing.cool(Math.min(retryAfterMs, maxCooldownMs), now)
    else this.standing.coolOff({ ...coolingPause, maxMs: Math.min(coolingPause.maxMs, maxCooldownMs) }, now)
  }

  #count({ breaker }: RouteTerms, isTrial: boolean, now: number): void {
    if (breaker === null || (this.standing.trouble === 'open' && !isTrial)) return
    if (now - this.#windowStart >= breaker.windowMs) {
      this.#windowStart = now
      this.#calls = 0
      this.#failures = 0
    }
    this.#calls += 1
    this.#failures += 1
    const isMany =
      this.#failures >= breaker.failures && this.#failures * 100 >= this.#calls * breaker.failurePercent
    if (!isTrial && !isMany) return
    this.standing.leaveOut('open', { firstMs: breaker.openMs, maxMs: breaker.maxOpenMs }, now)
    this.#windowStart = now
    this.#calls = 0
    this.#failures = 0
  }
}

/** What names a target. */
export interface TargetName {
  readonly deploymentId: string
  /** Everything that a provider's refusal may depend on; a change makes the deployment new. */
  readonly credential: string
  readonly model: string
  /** False: its failures change nothing, because callers bring them about at will. */
  readonly remembers: boolean
}

/** Answers as the request asks it to. */
const obedientProvider = 'sandbox'

/** The name of a deployment's model; a changed address or credential makes what was refused new. */
export function targetName(deployment: DeploymentSnapshot, model: string): TargetName {
  const { id, providerId, baseUrl, settings, secrets } = deployment
  const credential = JSON.stringify([providerId, baseUrl, settings, secrets])
  return { deploymentId: id, model, credential, remembers: providerId !== obedientProvider }
}

/** The targets of one thread. Bounded by the configuration: each snapshot lets go of those that it does not name. */
export interface HealthBook {
  /** `bounds`: of the route that has the target. */
  of(name: TargetName, bounds?: ConcurrencyTerms | null): TargetHealth
  /** From now on names are noted; `keepNoted` forgets all others, and puts the bounds in force. */
  beginSnapshot(): void
  keepNoted(): void
}

interface Noted {
  readonly limit: ConcurrencyLimit
  bounds: ConcurrencyTerms | null
}

export function createHealthBook(board: HealthBoard = openHealthBoard()): HealthBook {
  let known = new Map<string, TargetHealth>()
  let noted = new Map<string, TargetHealth>()
  /** One for each deployment. */
  let limits = new Map<string, ConcurrencyLimit>()
  let notedLimits = new Map<string, Noted>()

  function limitOf(key: string, bounds: ConcurrencyTerms | null): ConcurrencyLimit {
    const found = notedLimits.get(key) ?? { limit: limits.get(key) ?? new ConcurrencyLimit(), bounds: null }
    found.bounds = widest(found.bounds, bounds)
    notedLimits.set(key, found)
    return found.limit
  }

  return {
    of(name, bounds = null) {
      const { deployment, target, credential } = rowNames(name)
      const key = `${target} ${credential}`
      const limit = limitOf(`${deployment} ${credential}`, bounds)
      let health = noted.get(key) ?? known.get(key)
      if (health === undefined) {
        health = new TargetHealth({
          standing: new Standing(board.row(target), credential),
          deployment: new Standing(board.row(deployment), credential),
          limit,
          remembers: name.remembers,
        })
      }
      noted.set(key, health)
      return health
    },
    beginSnapshot() {
      noted = new Map()
      notedLimits = new Map()
    },
    keepNoted() {
      known = noted
      noted = new Map()
      limits = new Map()
      for (const [key, { limit, bounds }] of notedLimits) {
        limit.bounds = bounds
        limits.set(key, limit)
      }
      notedLimits = new Map()
    },
  }
}

/** Rows of a target on the health board, and the fingerprint of its credential. */
function rowNames({ deploymentId, credential, model }: Omit<TargetName, 'remembers'>): {
  readonly deployment: bigint
  readonly target: bigint
  readonly credential: number
} {
  return {
    deployment: digest(`deployment ${deploymentId}`).readBigInt64LE(),
    target: digest(`target ${deploymentId} ${model}`).readBigInt64LE(),
    credential: digest(`credential ${deploymentId} ${credential}`).readInt32LE(),
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
