/** The types of sinks: one row each. Settings come from the section of the same name in `config/sinks-form.ts`. */
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { createJsonlFileSink } from '../adapters/jsonl-file-sink/jsonl-file-sink.ts'
import { createWebhookSink } from '../adapters/webhook/webhook-sink.ts'
import { type SinkConfig, type SinkSettings, sinkTypeNames } from '../config/index.ts'
import type { SinkTools, SinkType } from '../delivery/index.ts'
import { parseOrigin } from '../egress/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { EventSink } from '../ports/event-sink.ts'
import {
  openBulkSink,
  openHecSink,
  openObjectStoreSink,
  openOtlpSink,
  openSentinelSink,
  openSyslogSink,
  ownDocuments,
} from './network-sinks.ts'

type SinkRegistry = { readonly [K in keyof SinkSettings]: SinkType<SinkSettings[K]> & { readonly type: K } }

const registry: SinkRegistry = Object.freeze({
  jsonlFile: {
    type: 'jsonlFile',
    open({ format, ...settings }, { name, now, directory }) {
      const path = resolve(directory, settings.path)
      return createJsonlFileSink({ ...settings, name, now, path, writeLine: ownDocuments[format] })
    },
  },
  webhook: {
    type: 'webhook',
    open(settings, { name, client, readReference, now, timeoutMs }) {
      const parsed = parseOrigin(settings.url, settings)
      if (parsed instanceof Fault) throw parsed
      return createWebhookSink({
        name,
        client,
        now,
        secret: () => readReference(settings.secret),
        origin: parsed.origin,
        path: parsed.basePath || '/',
        timeoutMs,
        write: ownDocuments[settings.format],
      })
    },
  },
  elastic: { type: 'elastic', open: openBulkSink },
  syslog: {
    type: 'syslog',
    open: (settings, tools) => openSyslogSink({ ...settings, hostname: hostOf(settings) }, tools),
  },
  splunk: {
    type: 'splunk',
    open: (settings, tools) => openHecSink({ ...settings, hostname: hostOf(settings) }, tools),
  },
  sentinel: { type: 'sentinel', open: openSentinelSink },
  otlp: { type: 'otlp', open: openOtlpSink },
  objectStore: { type: 'objectStore', open: openObjectStoreSink },
})

function hostOf({ hostname: given }: { readonly hostname: string }): string {
  return given === '' ? hostname() : given
}

/** Open what an entry of the configuration says. @throws Fault where its address is refused */
export function openSink(config: SinkConfig, tools: SinkTools): EventSink {
  for (const type of sinkTypeNames) {
    const sink = openAs(type, config, tools)
    if (sink !== null) return sink
  }
  throw new TypeError(`the sink ${config.name} has no type`)
}

/** The type of an entry; the schema makes sure that it has one. */
export function sinkTypeOf(config: SinkConfig): string {
  return sinkTypeNames.find((type) => config[type] !== undefined) ?? ''
}

function openAs<K extends keyof SinkSettings>(
  type: K,
  config: SinkConfig,
  tools: SinkTools,
): EventSink | null {
  const sections: Partial<SinkSettings> = config
  const settings = sections[type]
  return settings === undefined ? null : registry[type].open(settings, tools)
}
