/**
 * Events to Microsoft Sentinel through the Logs Ingestion API: a JSON array to a data collection rule, with a token of
 * Entra for the client's credentials, kept until five minutes before it ends. Bound: 1 MB a call, what the API takes.
 */
import type { OversightEvent } from '../../domain/oversight-event.ts'
import type { EventSink } from '../../ports/event-sink.ts'
import type { UpstreamOrigin } from '../../ports/upstream-client.ts'
import { exchange, type HttpReceiver, jsonObject } from './http-exchange.ts'
import { again, divided, outcomeOf } from './outcome.ts'

export interface SentinelSinkOptions extends HttpReceiver {
  readonly name: string
  readonly basePath: string
  /** Immutable id of the data collection rule. */
  readonly ruleId: string
  readonly stream: string
  /** Where Entra is: `https://login.microsoftonline.com`. */
  readonly authority: UpstreamOrigin
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: () => string | null
  /** JSON of a row. */
  readonly record: (event: OversightEvent) => string
  readonly now: () => number
}

interface Token {
  readonly text: string
  readonly until: number
}

const scope = 'https://monitor.azure.com//.default'
const renewBeforeMs = 300_000
const maxCallBytes = 1_000_000

export function createSentinelSink(options: SentinelSinkOptions): EventSink {
  const tokens = new EntraTokens(options)
  const rule = encodeURIComponent(options.ruleId)
  const stream = encodeURIComponent(options.stream)
  const path = `${options.basePath}/dataCollectionRules/${rule}/streams/${stream}?api-version=2023-01-01`
  return {
    name: options.name,
    async deliver(batch, signal) {
      const body = Buffer.from(`[${batch.map(options.record).join(',')}]`)
      if (body.length > maxCallBytes) return divided(batch.length, 'larger than the receiver takes')
      const token = await tokens.current(signal)
      if (token === null) return again(batch.length, tokens.problem)
      const headers = ['content-type', 'application/json', 'authorization', `Bearer ${token}`]
      const result = await exchange(options, { path, headers, body }, signal)
      if (result.failure === null && result.status === 401) tokens.forget()
      return outcomeOf(result, batch.length, options.now())
    },
    close: () => Promise.resolve(),
  }
}

/** One token at a time; batches that need it together wait for one call. */
class EntraTokens {
  readonly #options: SentinelSinkOptions
  #token: Token | null = null
  #fetching: Promise<Token | null> | null = null
  problem = ''

  constructor(options: SentinelSinkOptions) {
    this.#options = options
  }

  async current(signal: AbortSignal): Promise<string | null> {
    if (this.#token !== null && this.#options.now() < this.#token.until) return this.#token.text
    this.#fetching ??= this.#fetch(signal).finally(() => {
      this.#fetching = null
    })
    this.#token = await this.#fetching
    return this.#token?.text ?? null
  }

  forget(): void {
    this.#token = null
  }

  async #fetch(signal: AbortSignal): Promise<Token | null> {
    const { client, authority, tenantId, clientId, clientSecret, timeoutMs, now } = this.#options
    const secret = clientSecret()
    if (secret === null) return this.#fail('its secret is not where the configuration says')
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, scope })
    form.set('client_secret', secret)
    const call = {
      path: `/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
      headers: ['content-type', 'application/x-www-form-urlencoded', 'accept', 'application/json'],
      body: Buffer.from(form.toString()),
    }
    const result = await exchange({ client, origin: authority, timeoutMs }, call, signal)
    if (result.failure !== null) return this.#fail(`no token: ${result.failure}`)
    const answer = jsonObject(result.body)
    const text = answer?.['access_token']
    const seconds = answer?.['expires_in']
    if (result.status !== 200 || typeof text !== 'string' || typeof seconds !== 'number') {
      return this.#fail(`no token: Entra answered ${result.status}`)
    }
    return { text, until: now() + seconds * 1000 - renewBeforeMs }
  }

  #fail(problem: string): null {
    this.problem = problem
    return null
  }
}
