/**
 * Sends alerts of limits and of keys to a receiver of the operator, signed, through the egress guard. Nothing waits for it.
 *
 *   POST <url>      x-gatewright-signature: t=<Unix seconds>,v1=<hexadecimal HMAC-SHA-256 of "<t>.<body>">
 *
 * An answer other than 2xx, or none within 10 s, is tried again five times, 1 s to 16 s later. Bounds: `maxWaiting`
 * alerts that wait or are tried again, `maxAtOnce` calls at a time; what comes beyond it is dropped and said.
 */
import { postSigned } from '../adapters/webhook/post-signed.ts'
import { type AlertWebhookConfig, writeAmount } from '../config/index.ts'
import { isPersonal, type LimitAlert } from '../domain/limit-alert.ts'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'

export interface AlertWebhookOptions {
  readonly client: UpstreamClient
  /** As configured now; undefined: none. */
  readonly settings: () => AlertWebhookConfig | undefined
  readonly readReference: (reference: string) => string | null
  readonly now: () => number
  /** Told what was not delivered; the text holds neither address nor secret. */
  readonly log: (text: string) => void
  readonly timeoutMs?: number
  /** Before the second attempt; it doubles with each further one. */
  readonly firstPauseMs?: number
}

export interface AlertWebhook {
  send(alert: LimitAlert): void
  /** `id` names it in the log. */
  post(message: { readonly id: string; readonly body: string }): void
  /** What was not delivered yet is given up. */
  close(): void
}

const maxAttempts = 6
const maxWaiting = 1000
const maxAtOnce = 4
const defaultTimeoutMs = 10_000
const defaultFirstPauseMs = 1000

/** What leaves the gateway: subjects that tell of a person do not. */
export function webhookBody(alert: LimitAlert): string {
  const { id, organizationId, limitId, limitName, meter, per, threshold, periodStartsAt, at } = alert
  return JSON.stringify({
    type: 'limit.alert',
    id,
    organizationId,
    limit: { id: limitId, name: limitName, meter },
    per,
    subject: isPersonal(alert) ? null : alert.subject,
    threshold,
    amount: writeAmount(meter, alert.amount),
    used: writeAmount(meter, alert.used),
    periodStartsAt,
    at,
  })
}

export function createAlertWebhook(options: AlertWebhookOptions): AlertWebhook {
  return new Webhook(options)
}

interface Delivery {
  readonly id: string
  readonly body: string
  attempts: number
}

class Webhook implements AlertWebhook {
  readonly #options: AlertWebhookOptions
  readonly #ready: Delivery[] = []
  readonly #pauses = new Set<NodeJS.Timeout>()
  #underWay = 0
  #isClosed = false

  constructor(options: AlertWebhookOptions) {
    this.#options = options
  }

  send(alert: LimitAlert): void {
    if (this.#isClosed || this.#options.settings() === undefined) return
    this.post({ id: alert.id, body: webhookBody(alert) })
  }

  post({ id, body }: { readonly id: string; readonly body: string }): void {
    if (this.#isClosed || this.#options.settings() === undefined) return
    if (this.#ready.length + this.#pauses.size >= maxWaiting) {
      return this.#options.log(`The alert ${id} was not sent: too many wait for the receiver.`)
    }
    this.#ready.push({ id, body, attempts: 0 })
    this.#work()
  }

  close(): void {
    this.#isClosed = true
    this.#ready.length = 0
    for (const pause of this.#pauses) clearTimeout(pause)
    this.#pauses.clear()
  }

  #work(): void {
    while (this.#underWay < maxAtOnce) {
      const delivery = this.#ready.shift()
      if (delivery === undefined) return
      this.#underWay += 1
      delivery.attempts += 1
      this.#call(delivery, (problem) => {
        this.#underWay -= 1
        if (problem !== null) this.#tryLater(delivery, problem)
        this.#work()
      })
    }
  }

  #tryLater(delivery: Delivery, problem: string): void {
    if (this.#isClosed) return
    const { log, firstPauseMs = defaultFirstPauseMs } = this.#options
    if (delivery.attempts >= maxAttempts) {
      return log(`The alert ${delivery.id} was not delivered in ${maxAttempts} attempts: ${problem}.`)
    }
    const pause = setTimeout(
      () => {
        this.#pauses.delete(pause)
        this.#ready.push(delivery)
        this.#work()
      },
      firstPauseMs * 2 ** (delivery.attempts - 1),
    )
    pause.unref()
    this.#pauses.add(pause)
  }

  /** One attempt; `done` is called once, with what went wrong. Settings and secret are read anew each time. */
  #call({ body }: Delivery, done: (problem: string | null) => void): void {
    const { client, settings, readReference, now, timeoutMs = defaultTimeoutMs } = this.#options
    const config = settings()
    if (config === undefined) return done(null)
    const secret = readReference(config.secret)
    const parsed = parseOrigin(config.url, config)
    if (secret === null) return done('there is no secret where alerts.webhook.secret says')
    if (parsed instanceof Fault) return done('the address is refused')
    const post = { origin: parsed.origin, path: parsed.basePath || '/', body, secret, now: now(), timeoutMs }
    postSigned(client, post, (answer) => {
      if (answer.status === null) return done(answer.reason)
      const isTaken = answer.status >= 200 && answer.status < 300
      done(isTaken ? null : `the receiver answered ${answer.status}`)
    })
  }
}
