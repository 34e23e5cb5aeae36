/**
 * When each option of `gatewright.yaml` is read: at the start alone, or again with every reload. The reference is
 * written from this table, a reload keeps what it says, and its type asks for a row for every new section.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './schema.ts'

type Reading = 'start' | 'reload'

type Readings = {
  readonly [K in keyof Config]-?: K extends 'gateway'
    ? { readonly [F in keyof Config['gateway']]: Reading }
    : Reading
}

// biome-ignore format: a table is read by its columns
const readings: Readings = {
  $schema:              'reload',
  dataDir:              'start',
  gateway: {
    http:               'start',
    https:              'start',
    workers:            'start',
    trustedProxies:     'reload',
    forwardedHeader:    'reload',
  },
  control:              'start',
  tls:                  'start',
  bounds:               'reload',
  timeouts:             'reload',
  secrets:              'start',
  sandbox:              'reload',
  storage:              'start',
  counters:             'start',
  alerts:               'reload',
  leakReports:          'reload',
  tracing:              'reload',
  shutdown:             'start',
  usage:                'start',
  contentLog:           'reload',
  events:               'reload',
  sinks:                'reload',
  environmentProviders: 'reload',
  documentationUrl:     'reload',
  providers:            'start',
  prices:               'reload',
  organizations:        'reload',
  deployments:          'reload',
  models:               'reload',
  products:             'reload',
  plans:                'reload',
  limits:               'reload',
  guards:               'reload',
  policies:             'reload',
  applications:         'reload',
  tokenIssuers:         'reload',
}

/** Dotted paths of the options and sections that are read at the start alone, in the order of the schema. */
export const startOnlyPaths: readonly string[] = Object.entries(readings).flatMap(([section, reading]) => {
  if (typeof reading === 'string') return reading === 'start' ? [section] : []
  return Object.entries(reading).flatMap(([field, when]) => (when === 'start' ? [`${section}.${field}`] : []))
})

type Plain = Readonly<Record<string, unknown>>

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((node, key) => (isPlain(node) ? node[key] : undefined), value)
}

/** `next` with what `running` was started with: the configuration that a reload brings into force. */
export function keepStartSettings(next: Config, running: Config): Config {
  const kept = Object.entries(readings).map(([section, reading]): [string, unknown] => {
    if (typeof reading === 'string') return [section, at(reading === 'start' ? running : next, section)]
    const fields = Object.entries(reading).map(([field, when]): [string, unknown] => [
      field,
      at(when === 'start' ? running : next, `${section}.${field}`),
    ])
    return [section, Object.fromEntries(fields)]
  })
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as Config
}

/** Dotted paths of the options that differ and take effect at the next start only. */
export function changedStartSettings(next: Config, running: Config): readonly string[] {
  return startOnlyPaths.flatMap((path) => differences(path, at(next, path), at(running, path)))
}

function differences(path: string, one: unknown, other: unknown): string[] {
  if (!isPlain(one) || !isPlain(other)) return isDeepStrictEqual(one, other) ? [] : [path]
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return keys.flatMap((key) => differences(`${path}.${key}`, one[key], other[key]))
}
