/**
 * An event as a document of the Elastic Common Schema, for data streams `logs-gatewright.<stream>-<namespace>`. Fields
 * of our own stand under `gatewright`; all others, with their types, are in `ecs-fields.ts`.
 */
import type { ExchangeFacts, OversightEvent } from '../domain/oversight-event.ts'
import { callerText, plainText } from '../domain/plain-text.ts'
import { ecsClassOf } from './ecs-class.ts'
import { ecsVersion } from './ecs-fields.ts'
import { messageOf, product, severityNumbers } from './event-facts.ts'

type Value = string | number | boolean | readonly string[] | EcsObject | undefined
interface EcsObject {
  readonly [name: string]: Value
}

const nanosecondsPerMs = 1_000_000

/** Name of the data stream that an event belongs to. */
export function dataStreamOf(event: OversightEvent, namespace: string): string {
  return `logs-gatewright.${event.stream}-${namespace}`
}

export function ecsDocument(event: OversightEvent, namespace = 'default'): string {
  const { actor, resource, exchange } = event
  const user = text(actor.id)
  const document: EcsObject = {
    '@timestamp': new Date(event.time).toISOString(),
    ecs: { version: ecsVersion },
    data_stream: { type: 'logs', dataset: `gatewright.${event.stream}`, namespace },
    message: messageOf(event),
    event: {
      id: plainText(event.id),
      module: 'gatewright',
      dataset: `gatewright.${event.stream}`,
      ...ecsClassOf(event),
      action: plainText(event.action),
      outcome: event.outcome,
      severity: severityNumbers[event.severity],
      reason: text(event.reason),
      duration: exchange === null ? undefined : Math.round(exchange.durationMs * nanosecondsPerMs),
    },
    observer: { vendor: product.vendor, product: product.name, version: product.version, type: 'gateway' },
    organization: section({ id: text(event.organizationId) }),
    user: section({ id: user }),
    client: actor.endUser === '' ? undefined : { user: { id: callerText(actor.endUser) } },
    source: section({ ip: text(actor.address) }),
    error: section({ code: text(event.reason) }),
    ...(exchange === null ? {} : exchangeSections(exchange)),
    gatewright: {
      severity: event.severity,
      count: event.count,
      checkpoint: event.checkpoint,
      actor: { kind: actor.kind },
      application: section({ id: text(actor.applicationId) }),
      resource: resource === null ? undefined : section({ kind: text(resource.kind), id: text(resource.id) }),
      exchange: exchange === null ? undefined : ownFigures(exchange),
    },
  }
  return JSON.stringify(document)
}

function exchangeSections(exchange: ExchangeFacts): EcsObject {
  return {
    trace: section({ id: text(exchange.traceId) }),
    span: section({ id: text(exchange.spanId) }),
    http: {
      request: { id: text(exchange.requestId), body: { bytes: exchange.requestBytes } },
      response: { status_code: exchange.status, body: { bytes: exchange.responseBytes } },
    },
    gen_ai: {
      operation: { name: text(exchange.operation) },
      system: text(exchange.providerId),
      request: section({ model: caller(exchange.model) }),
      response: section({ model: caller(exchange.servedModel) }),
      usage: { input_tokens: exchange.inputTokens, output_tokens: exchange.outputTokens },
    },
  }
}

function ownFigures(exchange: ExchangeFacts): EcsObject {
  return {
    dialect: text(exchange.dialect),
    deployment: section({ id: text(exchange.deploymentId) }),
    streamed: exchange.streamed,
    attempts: exchange.attempts,
    cached_input_tokens: exchange.cachedInputTokens,
    reasoning_tokens: exchange.reasoningTokens,
    cost_micro_usd: exchange.costMicroUsd ?? undefined,
    first_byte_ms: exchange.firstByteMs,
    overhead_ms: exchange.overheadMs,
  }
}

function text(value: string): string | undefined {
  return value === '' ? undefined : plainText(value)
}

function caller(value: string): string | undefined {
  return value === '' ? undefined : callerText(value)
}

/** Undefined where nothing is in it: Elasticsearch keeps no empty objects. */
function section(object: EcsObject): EcsObject | undefined {
  return Object.values(object).some((value) => value !== undefined) ? object : undefined
}
