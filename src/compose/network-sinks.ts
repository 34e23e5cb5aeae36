/**
 * The sinks that speak to systems for logs and security: one function for each, from its settings as they stand in the
 * configuration to the port. Nothing is opened that can fail: what does not answer yet is an outcome of a delivery.
 */
import { type BulkSinkOptions, createBulkSink } from '../adapters/sinks/bulk-sink.ts'
import { createHecSink } from '../adapters/sinks/hec-sink.ts'
import type { HttpReceiver } from '../adapters/sinks/http-exchange.ts'
import { createObjectStoreSink } from '../adapters/sinks/object-store-sink.ts'
import { createOtlpSink } from '../adapters/sinks/otlp-sink.ts'
import { createSentinelSink } from '../adapters/sinks/sentinel-sink.ts'
import { createSyslogSink } from '../adapters/sinks/syslog-sink.ts'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { parseOrigin } from '../egress/index.ts'
import {
  cefLine,
  dataStreamOf,
  ecsDocument,
  leefLine,
  ocsfDocument,
  otlpRecord,
  product,
  sentinelRecord,
  syslogMessage,
} from '../events/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { EgressGuard } from '../ports/egress.ts'
import type { EventSink } from '../ports/event-sink.ts'
import type { UpstreamClient } from '../ports/upstream-client.ts'
import { signRequest } from '../providers/index.ts'

/** What a sink may use of the product. */
export interface NetworkSinkTools {
  readonly name: string
  readonly timeoutMs: number
  readonly client: UpstreamClient
  readonly readReference: (reference: string) => string | null
  readonly now: () => number
}

/** Where a receiver is; secrets are references, `env:NAME` or `file:/path`. */
interface ReceiverSettings {
  readonly url: string
  readonly allowPrivateNetwork: boolean
}

type DocumentFormat = 'ecs' | 'ocsf'
type WriteDocument = (event: OversightEvent) => string

const documents: Readonly<Record<DocumentFormat, WriteDocument>> = Object.freeze({
  ecs: (event) => ecsDocument(event),
  ocsf: ocsfDocument,
})

/** The same, with our own form; all are one line. */
export const ownDocuments: Readonly<Record<DocumentFormat | 'event', WriteDocument>> = Object.freeze({
  ...documents,
  event: (event) => JSON.stringify(event),
})

export interface BulkSettings extends ReceiverSettings {
  /** Reference to an API key, or to `user:password`, as `scheme` says. */
  readonly secret: string
  readonly scheme: 'apiKey' | 'basic'
  /** Last part of the names of data streams. */
  readonly namespace: string
}

/** Elasticsearch and OpenSearch. @throws Fault where the address is refused */
export function openBulkSink(settings: BulkSettings, tools: NetworkSinkTools): EventSink {
  const { secret, scheme, namespace } = settings
  const authorization: BulkSinkOptions['authorization'] = () => {
    const text = tools.readReference(secret)
    if (text === null) return null
    return scheme === 'apiKey' ? `ApiKey ${text}` : `Basic ${Buffer.from(text).toString('base64')}`
  }
  return createBulkSink({
    ...receiverOf(settings, tools),
    authorization,
    indexOf: (event) => dataStreamOf(event, namespace),
    document: (event) => ecsDocument(event, namespace),
  })
}

export interface HecSettings extends ReceiverSettings {
  readonly token: string
  readonly index: string
  readonly acknowledged: boolean
  readonly format: DocumentFormat
  readonly hostname: string
}

/** Splunk. @throws Fault where the address is refused */
export function openHecSink(settings: HecSettings, tools: NetworkSinkTools): EventSink {
  const { token, index, acknowledged, format, hostname } = settings
  return createHecSink({
    ...receiverOf(settings, tools),
    token: () => tools.readReference(token),
    host: hostname,
    index,
    acknowledged,
    document: documents[format],
  })
}

export interface OtlpSettings extends ReceiverSettings {
  /** Reference to the value of `Authorization`; empty: none is sent. */
  readonly authorization: string
}

/** OpenTelemetry collectors; `url` is the endpoint without `/v1/logs`. @throws Fault where the address is refused */
export function openOtlpSink(settings: OtlpSettings, tools: NetworkSinkTools): EventSink {
  const { basePath, ...receiver } = receiverOf(settings, tools)
  return createOtlpSink({
    ...receiver,
    path: `${basePath}/v1/logs`,
    version: product.version,
    record: otlpRecord,
    headers() {
      if (settings.authorization === '') return []
      const value = tools.readReference(settings.authorization)
      return value === null ? null : ['authorization', value]
    },
  })
}

export interface SentinelSettings extends ReceiverSettings {
  readonly ruleId: string
  readonly stream: string
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
  /** Address of Entra; other clouds have others. */
  readonly authority: string
}

/** Microsoft Sentinel; `url` is the data collection endpoint. @throws Fault where an address is refused */
export function openSentinelSink(settings: SentinelSettings, tools: NetworkSinkTools): EventSink {
  const { ruleId, stream, tenantId, clientId, clientSecret, authority, allowPrivateNetwork } = settings
  return createSentinelSink({
    ...receiverOf(settings, tools),
    ruleId,
    stream,
    tenantId,
    clientId,
    authority: parsed({ url: authority, allowPrivateNetwork }).origin,
    clientSecret: () => tools.readReference(clientSecret),
    record: sentinelRecord,
  })
}

export interface ObjectStoreSettings extends ReceiverSettings {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly format: DocumentFormat
}

/** S3 and what speaks like it; `url` holds bucket and prefix. @throws Fault where the address is refused */
export function openObjectStoreSink(settings: ObjectStoreSettings, tools: NetworkSinkTools): EventSink {
  const { region, accessKeyId, secretAccessKey, format } = settings
  const receiver = receiverOf(settings, tools)
  const { protocol, host: name, port } = receiver.origin
  const shown = name.includes(':') ? `[${name}]` : name
  const host = port === (protocol === 'https:' ? 443 : 80) ? shown : `${shown}:${port}`
  return createObjectStoreSink({
    ...receiver,
    document: documents[format],
    sign({ path, body, contentHash }) {
      const id = tools.readReference(accessKeyId)
      const secret = tools.readReference(secretAccessKey)
      if (id === null || secret === null) return null
      const headers = { host, 'x-amz-content-sha256': contentHash }
      const credentials = { accessKeyId: id, secretAccessKey: secret }
      const date = new Date(tools.now())
      const input = { method: 'PUT', path, headers, body, region, service: 's3', credentials, date }
      return Object.entries(signRequest(input)).flat()
    },
  })
}

export interface SyslogSettings {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly allowPrivateNetwork: boolean
  /** References to PEM; empty: the authorities of this system, and no certificate of our own. */
  readonly authority: string
  readonly certificate: string
  readonly key: string
  readonly format: 'json' | 'ocsf' | 'cef' | 'leef'
  readonly hostname: string
}

const payloads: Readonly<Record<SyslogSettings['format'], (event: OversightEvent) => string>> = Object.freeze(
  {
    json: (event) => ecsDocument(event),
    ocsf: ocsfDocument,
    cef: cefLine,
    leef: leefLine,
  },
)

/** rsyslog, syslog-ng, QRadar, ArcSight and others. */
export function openSyslogSink(
  settings: SyslogSettings,
  { egress, ...tools }: NetworkSinkTools & { readonly egress: EgressGuard },
): EventSink {
  const { host, port, tls, allowPrivateNetwork, authority, certificate, key, hostname, format } = settings
  const frame = { hostname, payload: payloads[format] }
  return createSyslogSink({
    name: tools.name,
    timeoutMs: tools.timeoutMs,
    egress,
    host,
    port,
    tls,
    allowPrivateNetwork,
    authority: () => (authority === '' ? undefined : tools.readReference(authority)),
    identity() {
      if (certificate === '' && key === '') return undefined
      const [shown, proof] = [tools.readReference(certificate), tools.readReference(key)]
      return shown === null || proof === null ? null : { certificate: shown, key: proof }
    },
    message: (event) => syslogMessage(event, frame),
  })
}

type Receiver = HttpReceiver & Pick<NetworkSinkTools, 'name' | 'now'> & { readonly basePath: string }

function receiverOf(
  settings: ReceiverSettings,
  { name, now, client, timeoutMs }: NetworkSinkTools,
): Receiver {
  return { name, now, client, timeoutMs, ...parsed(settings) }
}

function parsed(settings: ReceiverSettings): Pick<Receiver, 'origin' | 'basePath'> {
  const address = parseOrigin(settings.url, settings)
  if (address instanceof Fault) throw address
  return address
}
