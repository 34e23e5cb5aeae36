/**
 * What one worker counts of each request beside the model that it asks for: under the names of OpenTelemetry's HTTP
 * conventions, by stage, and who was let in. No clock is read here: stages are timed by the pipeline already.
 *
 * `http_request_method` and `http_route` are those of the table of operations, `_OTHER` and nothing where there is no
 * such operation: what a caller sends becomes no label.
 */
import { type Operation, operations } from '../domain/operations.ts'
import { faults } from '../faults/catalogue.ts'
import { type MetricWriter, metrics } from '../telemetry/index.ts'
import type { Exchange } from './exchange.ts'
import { NamedCells, PlacedCells } from './metric-cells.ts'

/** As `http.request.method` has it for methods that are none of ours. */
const otherMethod = '_OTHER'
const methods: readonly string[] = [...new Set<string>(operations.map(({ method }) => method)), otherMethod]
const schemes = ['http', 'https'] as const
/** Statuses have three digits; 0: none was sent. Those over TLS come behind the others. */
const statusPlaces = 1000
const lastStage = 'call-upstream'
const waitingStage = 'reserve'
const authPrefix = 'auth.'
const deniedResources: ReadonlyMap<string, string> = new Map([
  [faults.operationDenied.code, 'operation'],
  [faults.modelNotFound.code, 'model'],
  [faults.outsideResidency.code, 'region'],
  [faults.policyDenied.code, 'policy'],
])

interface HttpCells {
  /** By scheme and status. */
  readonly ended: PlacedCells
  /** By scheme, status and error, of those that failed. */
  readonly failed: NamedCells
}

export class RequestMetrics {
  /** Requests under way. */
  open = 0
  readonly #writer: MetricWriter
  readonly #active: PlacedCells
  readonly #activeCounts = new Int32Array(methods.length * schemes.length)
  /** Null: no operation of ours. Bounded by their table. */
  readonly #http = new Map<Operation | null, HttpCells>()
  readonly #stages: NamedCells
  readonly #waits: NamedCells
  readonly #attempts: NamedCells
  readonly #tokens: NamedCells
  readonly #allowed: NamedCells
  readonly #denied: NamedCells

  constructor(writer: MetricWriter) {
    this.#writer = writer
    this.#active = new PlacedCells(this.#activeCounts.length, (place) => {
      const method = methods[Math.floor(place / schemes.length)] ?? otherMethod
      return writer.bind(metrics.httpActive, [method, schemes[place % schemes.length] ?? ''])
    })
    this.#stages = new NamedCells((stage) => writer.bind(metrics.stageDuration, [stage]))
    this.#waits = new NamedCells((result) => writer.bind(metrics.queueWait, [result]))
    this.#attempts = new NamedCells((result) => writer.bind(metrics.authAttempts, ['api_key', result]))
    this.#tokens = new NamedCells((result) => writer.bind(metrics.authAttempts, ['access_token', result]))
    this.#allowed = new NamedCells((resource) => writer.bind(metrics.authzDecisions, [resource, 'allow']))
    this.#denied = new NamedCells((resource) => writer.bind(metrics.authzDecisions, [resource, 'deny']))
  }

  /** A request has come, by `+1`, or has ended, by `-1`. */
  active({ inbound }: Exchange, step: 1 | -1): void {
    this.open += step
    const known = methods.indexOf(inbound.method)
    const method = known === -1 ? methods.length - 1 : known
    const place = method * schemes.length + (inbound.encrypted ? 1 : 0)
    const count = (this.#activeCounts[place] ?? 0) + step
    this.#activeCounts[place] = count
    this.#writer.set(this.#active.at(place), count)
  }

  /** An exchange has ended. `end` in monotone milliseconds. */
  ended(exchange: Exchange, end: number): void {
    const { operation, status, outcome, faultCode, inbound } = exchange
    const cells = this.#http.get(operation) ?? this.#addHttp(operation)
    const isFailed = outcome === 'failed' || outcome === 'disconnected'
    const scheme = inbound.encrypted ? 1 : 0
    const cell = isFailed
      ? cells.failed.of(`${schemes[scheme]} ${status} ${outcome === 'failed' ? faultCode : outcome}`)
      : cells.ended.at(scheme * statusPlaces + (status % statusPlaces))
    this.#writer.observe(metrics.httpDuration, cell, (end - inbound.startedAt) / 1000)
    this.#countAccess(exchange)
    this.#countStages(exchange, end)
  }

  #countAccess({ compiledKey, route, faultCode, isToken }: Exchange): void {
    const writer = this.#writer
    const attempts = isToken ? this.#tokens : this.#attempts
    if (faultCode.startsWith(authPrefix)) {
      writer.add(attempts.of(faultCode.slice(authPrefix.length)), 1)
      return
    }
    if (compiledKey === null) return
    writer.add(attempts.of('ok'), 1)
    const denied = faultCode === '' ? undefined : deniedResources.get(faultCode)
    if (denied !== undefined) writer.add(this.#denied.of(denied), 1)
    if (denied === 'operation') return
    writer.add(this.#allowed.of('operation'), 1)
    if (route !== null && denied !== 'model') writer.add(this.#allowed.of('model'), 1)
  }

  #countStages({ timedStages, stageStarts, upstreamStartedAt, limits }: Exchange, end: number): void {
    const writer = this.#writer
    for (let at = 0; at < timedStages.length; at += 1) {
      const name = timedStages[at] ?? ''
      const isLast = name === lastStage
      // What comes after the last call has begun is the provider's time.
      const over = isLast ? upstreamStartedAt || end : (stageStarts[at + 1] ?? end)
      const seconds = Math.max(0, over - (stageStarts[at] ?? over)) / 1000
      writer.observe(metrics.stageDuration, this.#stages.of(name), seconds)
      if (name !== waitingStage || limits === null || !limits.hasWaited) continue
      const isServed = at + 1 < timedStages.length
      writer.observe(metrics.queueWait, this.#waits.of(isServed ? 'served' : 'not_served'), seconds)
    }
  }

  #addHttp(operation: Operation | null): HttpCells {
    const method = operation?.method ?? otherMethod
    const route = operation?.path ?? ''
    const bind = (scheme: string, status: string, error: string): number =>
      this.#writer.bind(metrics.httpDuration, [method, scheme, route, status === '0' ? '' : status, error])
    const cells: HttpCells = {
      ended: new PlacedCells(statusPlaces * schemes.length, (place) =>
        bind(schemes[Math.floor(place / statusPlaces)] ?? '', String(place % statusPlaces), ''),
      ),
      failed: new NamedCells((name) => {
        const [scheme = '', status = '', error = ''] = name.split(' ')
        return bind(scheme, status, error === '' ? status : error)
      }),
    }
    this.#http.set(operation, cells)
    return cells
  }
}
