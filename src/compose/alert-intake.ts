/**
 * Alerts of limits from the workers: each is stored, and who stored it first writes it into the log and sends it to
 * the receiver. Best effort: what cannot be stored for long is lost, and counted.
 *
 * Bounds: the queue holds what the workers hold (`alert-outbox.ts`); `maxPerHour` alerts of one organization are
 * raised by a node, because callers can name users without end; alerts are kept for 90 days.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { writeAmount } from '../config/index.ts'
import { isPersonal, type LimitAlert, type LimitAlertSighting } from '../domain/limit-alert.ts'
import type { LimitAlerts } from '../ports/limit-alerts.ts'
import type { Log } from '../supervisor/log.ts'
import type { AlertMessage } from './alert-outbox.ts'

export interface AlertIntakeOptions {
  readonly alerts: Pick<LimitAlerts, 'raise' | 'prune'>
  /** Called for each alert that this node raised. */
  readonly raised: (alert: LimitAlert) => void
  readonly now: () => number
  readonly log: Log
  readonly retryMs?: number
  readonly maxPerHour?: number
}

export interface AlertIntake {
  /** `done`: the worker may forget it. */
  add(message: Pick<AlertMessage, 'sighting' | 'dropped'>, done: () => void): void
  close(): Promise<void>
}

const hourMs = 3_600_000
const keptMs = 90 * 24 * hourMs
const prunedAtOnce = 500
const maxAttempts = 30
const defaultRetryMs = 2000
const defaultMaxPerHour = 1000
const reportEveryMs = 60_000

export function openAlertIntake(options: AlertIntakeOptions): AlertIntake {
  return new Intake(options)
}

class Intake implements AlertIntake {
  readonly #options: AlertIntakeOptions
  readonly #queue: { readonly sighting: LimitAlertSighting; readonly done: () => void }[] = []
  readonly #ending = new AbortController()
  readonly #pruning: NodeJS.Timeout
  /** Raised in `#hour` by organization. */
  readonly #raised = new Map<string, number>()
  #hour = 0
  #lost = 0
  #reportedAt = 0
  #work: Promise<void> | null = null

  constructor(options: AlertIntakeOptions) {
    this.#options = options
    this.#pruning = setInterval(() => void this.#prune(), hourMs)
    this.#pruning.unref()
    void this.#prune()
  }

  add({ sighting, dropped }: Pick<AlertMessage, 'sighting' | 'dropped'>, done: () => void): void {
    if (dropped > 0) this.#lose(dropped)
    this.#queue.push({ sighting, done })
    this.#work ??= this.#workOff()
  }

  async close(): Promise<void> {
    clearInterval(this.#pruning)
    this.#ending.abort()
    await this.#work
  }

  async #workOff(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (this.#ending.signal.aborted) return
      await this.#raise(next.sighting)
      next.done()
    }
    // In the same turn as the last look at the queue: whoever adds now begins anew.
    this.#work = null
  }

  async #raise(sighting: LimitAlertSighting): Promise<void> {
    const { alerts, retryMs = defaultRetryMs } = this.#options
    if (!this.#isWithinBound(sighting)) return this.#lose(1)
    for (let attempt = 1; attempt <= maxAttempts && !this.#ending.signal.aborted; attempt += 1) {
      try {
        const alert = await alerts.raise(sighting)
        if (alert !== null) this.#tell(alert)
        return
      } catch {
        // The database says itself that it is lost.
        await sleep(retryMs, undefined, { signal: this.#ending.signal }).catch(() => {})
      }
    }
    this.#lose(1)
  }

  #isWithinBound({ organizationId }: LimitAlertSighting): boolean {
    const { now, maxPerHour = defaultMaxPerHour } = this.#options
    const hour = Math.floor(now() / hourMs)
    if (hour !== this.#hour) this.#raised.clear()
    this.#hour = hour
    return (this.#raised.get(organizationId) ?? 0) < maxPerHour
  }

  #tell(alert: LimitAlert): void {
    const { log, raised } = this.#options
    this.#raised.set(alert.organizationId, (this.#raised.get(alert.organizationId) ?? 0) + 1)
    log({ level: 'warn', code: 'limit.alert', text: describeAlert(alert) })
    raised(alert)
  }

  #lose(count: number): void {
    const { log, now } = this.#options
    this.#lost += count
    if (now() - this.#reportedAt < reportEveryMs) return
    this.#reportedAt = now()
    const text = `Alerts of limits were lost since the start: ${this.#lost}. Too many came at once, or they could not be stored.`
    log({ level: 'warn', code: 'limit.alerts-lost', text })
  }

  async #prune(): Promise<void> {
    const { alerts, now } = this.#options
    try {
      while ((await alerts.prune(now() - keptMs, prunedAtOnce)) === prunedAtOnce) {
        if (this.#ending.signal.aborted) return
      }
    } catch {
      // In an hour again.
    }
  }
}

/** For the log: without subjects that tell of a person; the admin API shows them by the id. */
export function describeAlert(alert: LimitAlert): string {
  const { id, organizationId, limitId, limitName, meter, per, subject, threshold } = alert
  const unit = meter === 'cost' ? 'US dollars' : meter
  const counter = isPersonal(alert) ? `one ${per.join(' and ')}` : subject === '' ? 'all together' : subject
  const figures = `${writeAmount(meter, alert.used)} of ${writeAmount(meter, alert.amount)} ${unit}`
  return `The limit ${limitName} (${limitId}) of ${organizationId} has passed ${percentOf(threshold)}: ${figures}, counted for ${counter}; alert ${id}.`
}

function percentOf(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}
