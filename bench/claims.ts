/** What a benchmark must show: one row for each figure, with its target and how it follows from the measurements. */
import { type SystemName, systemNames } from './load/system.ts'

/** Reads one figure of one measurement of one system, in one repeat; NaN where it was not measured. */
export type Read = (measurement: string, system: SystemName, figure: string) => number

export interface Claim {
  readonly name: string
  /** `≥` or `≤` the limit; null: reported only. */
  readonly target: { readonly sign: '≥' | '≤'; readonly limit: number } | null
  readonly unit: string
  readonly measure: (read: Read) => number
}

const ratio =
  (measurement: string, figure: string, [over, under]: readonly [SystemName, SystemName]) =>
  (read: Read): number =>
    read(measurement, over, figure) / read(measurement, under, figure)

const added =
  (measurement: string, figure: string, system: SystemName) =>
  (read: Read): number =>
    read(measurement, system, figure) - read(measurement, 'direct', figure)

const figure =
  (measurement: string, name: string, system: SystemName) =>
  (read: Read): number =>
    read(measurement, system, name)

const atLeast = (limit: number) => ({ sign: '≥', limit }) as const
const atMost = (limit: number) => ({ sign: '≤', limit }) as const

const floors: readonly Claim[] = [
  {
    name: 'requests/s as shipped, times nginx',
    target: atLeast(0.2),
    unit: '×',
    measure: ratio('throughput', 'perSecond', ['shipped', 'nginx']),
  },
  {
    name: 'requests/s as shipped, times Portkey',
    target: atLeast(8),
    unit: '×',
    measure: ratio('throughput', 'perSecond', ['shipped', 'portkey']),
  },
  {
    name: 'added latency at 300 requests/s, p50',
    target: atMost(0.7),
    unit: 'ms',
    measure: added('latency', 'p50Ms', 'shipped'),
  },
  {
    name: 'added latency at 300 requests/s, p99',
    target: atMost(3),
    unit: 'ms',
    measure: added('latency', 'p99Ms', 'shipped'),
  },
  {
    name: 'added time to first byte of a stream, p50',
    target: atMost(1.5),
    unit: 'ms',
    measure: added('first-byte', 'p50Ms', 'shipped'),
  },
  {
    name: 'added latency of 100 KB prompts, p50',
    target: atMost(1.5),
    unit: 'ms',
    measure: added('large-prompt', 'p50Ms', 'shipped'),
  },
  {
    name: 'CPU per relayed chunk, times nginx',
    target: atMost(3),
    unit: '×',
    measure: ratio('chunks', 'cpuPerChunkUs', ['shipped', 'nginx']),
  },
  {
    name: 'requests/s with limits on, times as shipped',
    target: atLeast(0.95),
    unit: '×',
    measure: ratio('throughput', 'perSecond', ['limited', 'shipped']),
  },
  {
    name: 'median latency with limits on, times as shipped',
    target: atMost(1.05),
    unit: '×',
    measure: ratio('latency', 'p50Ms', ['limited', 'shipped']),
  },
  {
    name: 'CPU per relayed chunk with limits on, times as shipped',
    target: atMost(1.05),
    unit: '×',
    measure: ratio('chunks', 'cpuPerChunkUs', ['limited', 'shipped']),
  },
]

function reported(name: string, unit: string, measure: Claim['measure']): Claim {
  return { name, target: null, unit, measure }
}

const gateways = systemNames.filter((name) => name !== 'direct')

const reports: readonly Claim[] = [
  reported('requests/s bare, times nginx', '×', ratio('throughput', 'perSecond', ['bare', 'nginx'])),
  reported('requests/s bare, times Portkey', '×', ratio('throughput', 'perSecond', ['bare', 'portkey'])),
  reported(
    'requests/s with TLS, times nginx with TLS',
    '×',
    ratio('throughput', 'perSecond', ['shipped-tls', 'nginx-tls']),
  ),
  reported(
    'CPU per chunk with TLS, times nginx with TLS',
    '×',
    ratio('chunks', 'cpuPerChunkUs', ['shipped-tls', 'nginx-tls']),
  ),
  reported('added latency with TLS, p50', 'ms', added('latency', 'p50Ms', 'shipped-tls')),
  reported('added latency with TLS, p99', 'ms', added('latency', 'p99Ms', 'shipped-tls')),
  reported('added latency of Portkey, p50', 'ms', added('latency', 'p50Ms', 'portkey')),
  reported('added time to first byte of Portkey, p50', 'ms', added('first-byte', 'p50Ms', 'portkey')),
  reported('added latency of nginx, p50', 'ms', added('latency', 'p50Ms', 'nginx')),
  ...gateways.map((each) => reported(`requests/s: ${each}`, '', figure('throughput', 'perSecond', each))),
  ...gateways.map((each) =>
    reported(`CPU per request: ${each}`, 'µs', figure('throughput', 'cpuPerRequestUs', each)),
  ),
  ...gateways.map((each) =>
    reported(`resident memory under load: ${each}`, 'MB', figure('throughput', 'residentMb', each)),
  ),
  ...gateways.map((each) =>
    reported(`CPU per chunk: ${each}`, 'µs', figure('chunks', 'cpuPerChunkUs', each)),
  ),
  ...gateways.map((each) =>
    reported(`chunk delay, p50: ${each}`, 'ms', figure('chunks', 'delayP50Ms', each)),
  ),
  ...gateways.map((each) =>
    reported(`chunk jitter (p99 − p50): ${each}`, 'ms', figure('chunks', 'jitterMs', each)),
  ),
]

export const claims: readonly Claim[] = [...floors, ...reports]
